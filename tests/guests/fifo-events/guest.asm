; SPDX-License-Identifier: MIT
; Event channels of the FIFO kind: control block and event words in the guest's own memory, queues and priorities, what a
; guest does wrong with them, and the way back.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"

CONTROL_OFFSET  equ 128

%macro EVENT 1                                  ; operation on event_op
        HYPERCALL EVENT_CHANNEL_OP, %1, event_op
%endmacro
%macro PRIORITY 2                               ; port, priority
        mov eax, %1
        mov [event_op], eax
        mov dword [event_op + 4], %2
        EVENT SET_PRIORITY
%endmacro
; The guest takes everything out of its queues.
%macro FORGET 0
        mov byte [shared_info + VI_PENDING], 0
        mov dword [control + FIFO_READY], 0
        mov dword [words + r12 * 4], 0
        mov dword [words + r13 * 4], 0
%endmacro

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        mov byte [shared_info + VI_MASK], 1
        FRAME_OF control_page
        mov [control_frame], rax
        FRAME_OF words
        mov [words_frame], rax

        ; What is refused.
        FIFO_ARRAY [words_frame]
        EXPECT rax, EOPNOTSUPP, "there is no array before there are queues"
        call loopback
        REQUIRE rax, 0, "a pair of ports"
        mov r12d, esi
        mov r13d, edi
        mov qword [shared_info + SH_PENDING], 0 ; binding has made one of them pending
        PRIORITY r12d, 1
        EXPECT rax, ENOSYS, "ports have no priorities either"
        FIFO_CONTROL [control_frame], CONTROL_OFFSET, 9
        EXPECT rax, ENOENT, "vCPU 9 gets no queues"
        FIFO_CONTROL [control_frame], 4, 0
        EXPECT rax, EINVAL, "a control block is aligned"
        FIFO_CONTROL [control_frame], 4096 - 64, 0
        EXPECT rax, EINVAL, "and does not leave its frame"
        mov rax, cr3
        shr rax, 12
        FIFO_CONTROL rax, CONTROL_OFFSET, 0
        EXPECT rax, EINVAL, "a page table is no control block"
        FIFO_CONTROL -1, CONTROL_OFFSET, 0
        EXPECT rax, EINVAL, "nor is what is no frame"
        SEND r13d
        EXPECT rax, 0, "the two-level interface is still there"
        EXPECT8 [shared_info + VI_PENDING], 1, "and brings an upcall"

        ; Into the interface: what was pending is told again when there are words.
        mov byte [shared_info + VI_PENDING], 0
        FIFO_CONTROL [control_frame], CONTROL_OFFSET, 0
        EXPECT rax, 0, "a control block is accepted"
        EXPECT8 [event_op + 16], 17, "links have 17 bits"
        FIFO_CONTROL [control_frame], CONTROL_OFFSET, 0
        EXPECT rax, EINVAL, "once"
        EXPECT8 [shared_info + VI_PENDING], 0, "nothing is told without words"
        mov rax, cr3
        shr rax, 12
        FIFO_ARRAY rax
        EXPECT rax, EINVAL, "a page table has no event words"
        FIFO_ARRAY [words_frame]
        EXPECT rax, 0, "a page of words is accepted"
        EXPECT8 [shared_info + VI_PENDING], 1, "what was pending is told"
        EXPECT32 [control + FIFO_READY], 1 << 7, "in the queue of the default priority"
        EXPECT32 [words + r12 * 4], FIFO_PENDING | FIFO_LINKED, "the port is pending and linked"
        FORGET

        ; A queue of two.
        mov qword [shared_info + SH_PENDING], 0
        SEND r13d
        EXPECT rax, 0, "an event is sent"
        EXPECT32 [control + FIFO_HEAD + 7 * 4], r12d, "the port heads the queue"
        EXPECT8 [shared_info + VI_PENDING], 1, "an upcall is pending"
        mov byte [shared_info + VI_PENDING], 0
        SEND r12d
        mov eax, r13d
        or eax, FIFO_PENDING | FIFO_LINKED
        EXPECT32 [words + r12 * 4], eax, "the second follows the first"
        EXPECT32 [words + r13 * 4], FIFO_PENDING | FIFO_LINKED, "and is the last"
        EXPECT32 [control + FIFO_HEAD + 7 * 4], r12d, "the head stays"
        EXPECT8 [shared_info + VI_PENDING], 0, "the vCPU is not told twice"
        EXPECT [shared_info + SH_PENDING], 0, "the bits of the other interface are left alone"
        FORGET

        ; Masks.
        mov dword [words + r12 * 4], FIFO_MASKED
        SEND r13d
        EXPECT32 [words + r12 * 4], FIFO_MASKED | FIFO_PENDING, "a masked port is pending only"
        EXPECT32 [control + FIFO_READY], 0, "no queue has it"
        mov [event_op], r12d
        EVENT EVTCHN_UNMASK
        EXPECT rax, 0, "it is unmasked"
        EXPECT32 [words + r12 * 4], FIFO_LINKED | FIFO_PENDING, "and linked at once"
        EXPECT32 [control + FIFO_READY], 1 << 7, "its queue is ready"
        EXPECT8 [shared_info + VI_PENDING], 1, "the vCPU is told"
        FORGET

        ; Priorities.
        PRIORITY r12d, 16
        EXPECT rax, EINVAL, "there is no priority 16"
        PRIORITY 100000, 1
        EXPECT rax, EINVAL, "nor a port 100000"
        PRIORITY r12d, 0
        EXPECT rax, 0, "a port gets the highest priority"
        SEND r13d
        SEND r12d
        EXPECT32 [control + FIFO_READY], 1 << 7 | 1, "two queues are ready"
        EXPECT32 [control + FIFO_HEAD], r12d, "one for each"
        EXPECT32 [control + FIFO_HEAD + 7 * 4], r13d, "port"
        FORGET

        ; Polling looks at the words.
        mov dword [words + r12 * 4], FIFO_MASKED
        SEND r13d
        mov [poll_port], r12d
        mov qword [poll], poll_port
        mov dword [poll + 8], 1
        mov qword [poll + 16], 0
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        EXPECT rax, 0, "who polls a pending port does not sleep"
        FORGET

        ; Whatever the words say, the hypervisor goes by its own notes.
        mov ebp, 1000
        mov rbx, 0x9E3779B97F4A7C15
.scribble:
        rol rbx, 13
        lea rbx, [rbx + rbx * 4 + 1]
        mov [words + r12 * 4], ebx
        ror rbx, 7
        mov [words + r13 * 4], ebx
        mov [control + FIFO_READY], ebx
        mov [control + FIFO_HEAD + 7 * 4], ebx
        SEND r12d
        EXPECT rax, 0, "a send among scribbled words"
        SEND r13d
        EXPECT rax, 0, "and another"
        mov [event_op], r13d
        EVENT EVTCHN_UNMASK
        EXPECT rax, 0, "and unmasking"
        dec ebp
        jnz .scribble
        FORGET

        ; What is lent is neither a page table nor gone.
        mov rdi, words
        xor eax, eax
        mov ecx, 512
        rep stosq
        PAGE_FLAGS words, READ_ONLY_PAGE
        REQUIRE rax, 0, "the words' page is mapped read-only"
        MMUEXT PIN_L1, [words_frame]
        EXPECT rax, EINVAL, "event words do not become a page table"
        SEND r13d
        test dword [words + r12 * 4], FIFO_LINKED
        EXPECT_FLAG nz, "the hypervisor still writes there"

        ; Back.
        mov dword [event_op], DOMID_SELF
        EVENT EVTCHN_RESET
        EXPECT rax, 0, "the interface is reset"
        FIFO_ARRAY [words_frame]
        EXPECT rax, EOPNOTSUPP, "it is the two-level one again"
        PAGE_FLAGS words, WRITABLE_PAGE
        REQUIRE rax, 0, "the page is written once more"
        mov rdi, words
        xor eax, eax
        mov ecx, 512
        rep stosq
        PAGE_FLAGS words, READ_ONLY_PAGE
        REQUIRE rax, 0, "the page is read-only again"
        MMUEXT PIN_L1, [words_frame]
        EXPECT rax, 0, "the page is the guest's alone and may be a table"
        MMUEXT UNPIN, [words_frame]
        REQUIRE rax, 0, "it is no table any more"
        mov qword [shared_info + SH_PENDING], 0
        mov qword [shared_info + VI_SELECTOR], 0
        mov byte [shared_info + VI_PENDING], 0
        call loopback
        EXPECT rax, 0, "ports are bound anew"
        mov r12d, esi
        mov r13d, edi
        mov qword [shared_info + SH_PENDING], 0
        SEND r13d
        bt qword [shared_info + SH_PENDING], r12
        EXPECT_FLAG c, "and pending in shared_info"
        EXPECT [words + r12 * 4], 0, "not in the words"

        ; Once more into the interface, and out of it by the end of the domain.
        FIFO_CONTROL [control_frame], CONTROL_OFFSET, 0
        EXPECT rax, 0, "queues again"
        PAGE_FLAGS words, WRITABLE_PAGE
        REQUIRE rax, 0, "words are writable"
        FIFO_ARRAY [words_frame]
        EXPECT rax, 0, "words again"
        ret

section .bss
alignb 4096
control_page:   resb 4096
control         equ control_page + CONTROL_OFFSET
words:          resb 4096
control_frame:  resq 1
words_frame:    resq 1
poll:           resq 3
poll_port:      resd 2
