; SPDX-License-Identifier: MIT
; The failsafe callback: a data selector whose descriptor goes while the processor holds it cannot be loaded when the vCPU comes
; again. Null is there instead, and the callback's frame has the selectors as they were: rcx r11 ds es fs gs rip cs rflags rsp ss.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "context.inc"

DATA_SEGMENT    equ 0x00CFF3000000FFFF          ; flat data, DPL 3
FIRST_LOCAL     equ 7
SECOND_LOCAL    equ 15

main:   mov dword [callback], CALLBACK_FAILSAFE | CALLBACKF_MASK_EVENTS << 16
        mov qword [callback + 8], by_failsafe
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, callback
        EXPECT rax, 0, "the failsafe callback is registered"
        mov rax, DATA_SEGMENT
        mov [table], rax
        mov [table + 8], rax
        PAGE_FLAGS table, READ_ONLY_PAGE
        EXPECT rax, 0, "the local table's page is made read-only"

        ; Another vCPU on the same CPU, so that this one is switched out.
        CONTEXT other, other_stack_top
        mov rax, cr3
        mov [context + C_CR3], rax
        HYPERCALL VCPU_OP, VCPUOP_INITIALISE, 1, context
        EXPECT rax, 0, "a second vCPU has a context"
        HYPERCALL VCPU_OP, VCPUOP_UP, 1, 0
        EXPECT rax, 0, "and comes up"

        MMUEXT SET_LDT, table, 512
        EXPECT rax, 0, "a local table is taken"
        mov eax, FIRST_LOCAL
        mov gs, eax
        mov eax, SECOND_LOCAL
        mov es, eax
        mov byte [shared_info + VI_MASK], 0
        MMUEXT SET_LDT, 0, 0
        EXPECT rax, 0, "the table goes, and the selectors stay"
        mov rbx, [turns]
        mov rbp, 1000000
        mov [stack_before], rsp
.yield: HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        cmp qword [failsafes], 0
        jne .told
        dec rbp
        jnz .yield
        FAILURE "the failsafe callback comes"
.told:  EXPECT_NOT [turns], rbx, "the other vCPU has run"
        EXPECT [failsafes], 1, "once"
        EXPECT [seen + 2 * 8], 0, "ds was null"
        EXPECT [seen + 3 * 8], SECOND_LOCAL, "es was the second descriptor's"
        EXPECT [seen + 4 * 8], 0, "fs was null"
        EXPECT [seen + 5 * 8], FIRST_LOCAL, "gs was the first descriptor's"
        mov rax, [seen + 6 * 8]
        sub rax, .yield
        cmp rax, .told - .yield
        EXPECT_FLAG b, "the interrupted address lies behind the call"
        EXPECT32 [seen + 7 * 8], FLAT_CS64 & ~3, "cs is shown as a kernel's"
        EXPECT32 [seen + 7 * 8 + 4], 0, "events were not masked"
        EXPECT [seen + 9 * 8], [stack_before], "rsp is the interrupted one"
        EXPECT [seen + 10 * 8], FLAT_SS, "and ss"
        EXPECT [mask_then], 1, "the callback masks events, as asked"
        EXPECT8 [shared_info + VI_MASK], 0, "and the way back unmasks them"
        EXPECT [now_es], 0, "es is null in the callback"
        EXPECT [now_gs], 0, "and gs"
        ret

; rsp: rcx r11 ds es fs gs rip cs rflags rsp ss
by_failsafe:
        push rsi
        push rdi
        push rcx
        lea rsi, [rsp + 24]
        mov rdi, seen
        mov ecx, 11
        rep movsq
        inc qword [failsafes]
        mov ecx, es
        mov [now_es], rcx
        mov ecx, gs
        mov [now_gs], rcx
        movzx ecx, byte [shared_info + VI_MASK]
        mov [mask_then], rcx
        pop rcx
        pop rdi
        pop rsi
        mov rcx, [rsp]
        mov r11, [rsp + 8]
        add rsp, 6 * 8
        jmp return_from_trap

other:  inc qword [turns]
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        jmp other

section .bss
alignb 4096
table:          resb 4096
other_stack:    resb 4096
other_stack_top:
seen:           resq 11
failsafes:      resq 1
now_es:         resq 1
now_gs:         resq 1
mask_then:      resq 1
turns:          resq 1
stack_before:   resq 1
