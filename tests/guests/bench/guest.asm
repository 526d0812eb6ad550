; SPDX-License-Identifier: MIT
; What single operations cost, in ticks of the time-stamp counter, the guest's call and the reading of the counter included;
; the least of many rounds, since interrupts only ever add. Under QEMU's -icount a tick is an instruction. Prints lines
; "BENCH ticks operation". The same guest runs on Debian's Xen; nothing here depends on whose domain it is.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "usermode.inc"
%include "figures.inc"

ROUNDS equ 2000
SLOW_ROUNDS equ 200

; BENCH rounds … END "name": measures what is between; rbx, r12, r15 and ebp are the loop's, rax is as it was at its end.
%macro BENCH 1
%push bench
        mov rbx, -1
        mov r12d, %1
%$round:
        rdtsc
        mov ebp, eax
%endmacro
%macro END 1
        mov r15, rax
        rdtsc
        sub eax, ebp
        cmp rax, rbx
        cmovb rbx, rax
        dec r12d
        jnz %$round
        FIGURE %1
        mov rax, r15
%pop
%endmacro

; As BENCH, for an operation and the one that undoes it: BENCH_PAIR rounds … BACK … END_PAIR "name"; the figure is half of
; both. r13 belongs to the loop as well.
%macro BENCH_PAIR 1
        BENCH %1
%endmacro
%macro BACK 0
        mov r15, rax
        rdtsc
        sub eax, ebp
        mov r13d, eax
        rdtsc
        mov ebp, eax
%endmacro
%macro END_PAIR 1
        or r15, rax
        rdtsc
        sub eax, ebp
        add eax, r13d
        cmp rax, rbx
        cmovb rbx, rax
        dec r12d
        jnz %$round
        shr rbx, 1
        FIGURE %1
        mov rax, r15
%pop
%endmacro

; What is measured must not have failed.
%macro SUCCEEDED 1
        test rax, rax
        jz %%well
        mov r14, rax
        xor r15d, r15d
        STRING %%text, "ERROR: ", %1
        mov rdi, %%text
        mov esi, %%text_length
        jmp report_values
%%well:
%endmacro

main:
        call calls
        call memory
        call exceptions
        call emulation
        call events
        call fifo_events
        call reservations
        call grants
        call user_mode
        call tables
        ret

calls:
        BENCH ROUNDS
        HYPERCALL XEN_VERSION, 0, 0
        END "xen_version"

        BENCH ROUNDS
        HYPERCALL 60
        END "unknown hypercall"
        EXPECT rax, ENOSYS, "an unknown hypercall says so"

        BENCH ROUNDS
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        END "sched_op yield, alone"
        SUCCEEDED "yield"

        BENCH ROUNDS
        HYPERCALL STACK_SWITCH, FLAT_SS, kernel_stack_top
        END "stack_switch"
        SUCCEEDED "stack_switch"

        BENCH ROUNDS
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_FS, 0x1000
        END "set_segment_base"
        SUCCEEDED "set_segment_base"

        BENCH ROUNDS
        HYPERCALL SET_TIMER_OP, 0
        END "set_timer_op"
        SUCCEEDED "set_timer_op"

        BENCH ROUNDS
        HYPERCALL VCPU_OP, VCPUOP_IS_UP, 0, 0
        END "vcpu_op is_up"
        EXPECT rax, 1, "this vCPU is up"
        ret

memory:
        BENCH ROUNDS
        HYPERCALL MMU_UPDATE, mmu_request, 0, 0, DOMID_SELF
        END "mmu_update, none"
        SUCCEEDED "mmu_update of nothing"

        mov rdi, page
        call entry_of
        mov [page_entry], rax
        mov [page_entry_machine], rdx
        mov [mmu_request], rdx
        mov rcx, [rax]
        mov [page_value], rcx
        mov [mmu_request + 8], rcx
        BENCH ROUNDS
        HYPERCALL MMU_UPDATE, mmu_request, 1, 0, DOMID_SELF
        END "mmu_update, 1, same value"
        SUCCEEDED "mmu_update with the same value"

        ; Both ways; the figure is half of a pair.
        mov r13, [page_value]
        mov r9, r13
        xor r9, RW
        mov [mmu_request + 8], r9
        mov [second_request + 8], r13
        mov rax, [page_entry_machine]
        mov [second_request], rax
        BENCH_PAIR ROUNDS
        HYPERCALL MMU_UPDATE, mmu_request, 1, 0, DOMID_SELF
        BACK
        HYPERCALL MMU_UPDATE, second_request, 1, 0, DOMID_SELF
        END_PAIR "mmu_update, 1, ro <-> rw"
        SUCCEEDED "mmu_update"

        ; 64 entries of neighbouring pages: as they are, and away and back again.
        xor r13d, r13d
.fill:
        mov rdi, r13
        shl rdi, 12
        add rdi, many_pages
        call entry_of
        mov rcx, r13
        shl rcx, 4
        add rcx, many_requests
        mov r9, [rax]
        mov [rcx], rdx
        mov [rcx + 8], r9
        mov [rcx + empty_requests - many_requests], rdx
        mov qword [rcx + empty_requests - many_requests + 8], 0
        inc r13d
        cmp r13d, 64
        jb .fill
        BENCH SLOW_ROUNDS
        HYPERCALL MMU_UPDATE, many_requests, 64, 0, DOMID_SELF
        END "mmu_update, 64, same value"
        SUCCEEDED "mmu_update, 64"

        BENCH_PAIR SLOW_ROUNDS
        HYPERCALL MMU_UPDATE, empty_requests, 64, 0, DOMID_SELF
        BACK
        HYPERCALL MMU_UPDATE, many_requests, 64, 0, DOMID_SELF
        END_PAIR "mmu_update, 64, unmap/map"
        SUCCEEDED "mmu_update, 64, unmap and map"

        mov r8, [page_value]
        mov r9, r8
        xor r9, RW
        BENCH_PAIR ROUNDS
        HYPERCALL UPDATE_VA_MAPPING, page, r9, UVMF_NONE
        BACK
        HYPERCALL UPDATE_VA_MAPPING, page, r8, UVMF_NONE
        END_PAIR "update_va_mapping"
        SUCCEEDED "update_va_mapping"

        BENCH_PAIR ROUNDS
        HYPERCALL UPDATE_VA_MAPPING, page, r9, UVMF_INVLPG
        BACK
        HYPERCALL UPDATE_VA_MAPPING, page, r8, UVMF_INVLPG
        END_PAIR "update_va_mapping + invlpg"
        SUCCEEDED "update_va_mapping"

        HYPERCALL VM_ASSIST, VMASST_ENABLE, ASSIST_WRITABLE_TABLES
        SUCCEEDED "writable page tables"
        mov rdi, [page_entry]
        BENCH_PAIR ROUNDS
        mov [rdi], r9
        BACK
        mov [rdi], r8
        END_PAIR "PTE write by fault and emulation"

        mov rdi, [page_entry]
        BENCH_PAIR ROUNDS
        xchg [rdi], r9
        BACK
        xchg [rdi], r9
        END_PAIR "PTE exchange by fault and emulation"

        mov qword [mmuext_op], TLB_FLUSH_LOCAL
        BENCH ROUNDS
        HYPERCALL MMUEXT_OP, mmuext_op, 1, 0, DOMID_SELF
        END "mmuext TLB flush, local"
        SUCCEEDED "TLB flush"

        mov qword [mmuext_op], INVLPG_LOCAL
        mov qword [mmuext_op + 8], page
        BENCH ROUNDS
        HYPERCALL MMUEXT_OP, mmuext_op, 1, 0, DOMID_SELF
        END "mmuext invlpg, local"
        SUCCEEDED "invlpg"
        ret

; Handlers of exceptions, as short as they can be: on at r13.
quick_trap_with_error:
        pop rcx
        pop r11
        add rsp, 8
        jmp quick_return
quick_trap:
        pop rcx
        pop r11
quick_return:
        mov [rsp], r13
        push 0
        push rcx
        push r11
        push rax
        mov eax, IRET_CALL
        syscall

exceptions:
        HYPERCALL SET_TRAP_TABLE, quick_table
        SUCCEEDED "set_trap_table"
        mov r13, .after_int3
        BENCH ROUNDS
        int3
.after_int3:
        END "trap bounce: int3"

        mov r13, .after_ud
        BENCH ROUNDS
        ud2
.after_ud:
        END "trap bounce: #UD"

        mov r13, .after_gp
        BENCH ROUNDS
        hlt
.after_gp:
        END "trap bounce: #GP"

        mov r13, .after_pf
        mov r9d, 0x1000
        BENCH ROUNDS
        mov eax, [r9]
.after_pf:
        END "trap bounce: #PF"
        HYPERCALL SET_TRAP_TABLE, trap_table
        SUCCEEDED "set_trap_table"
        ret

emulation:
        BENCH ROUNDS
        mov ecx, 0xC0000080
        rdmsr
        END "emulated RDMSR EFER"

        BENCH ROUNDS
        mov rax, cr0
        END "emulated MOV from CR0"

        ; CPUID overwrites rbx.
        mov r13, -1
        mov r12d, ROUNDS
.cpuid: rdtsc
        mov ebp, eax
        mov eax, 1
        xor ecx, ecx
        ud2
        db "xen"
        cpuid
        rdtsc
        sub eax, ebp
        cmp rax, r13
        cmovb r13, rax
        dec r12d
        jnz .cpuid
        mov rbx, r13
        FIGURE "CPUID, forced emulation"
        ret

quick_upcall:
        pop rcx
        pop r11
        mov byte [shared_info + VI_PENDING], 0
        mov qword [shared_info + VI_SELECTOR], 0
        mov qword [shared_info + SH_PENDING], 0
        push 0
        push rcx
        push r11
        push rax
        mov eax, IRET_CALL
        syscall

events:
        call loopback
        SUCCEEDED "a pair of ports"
        mov eax, esi
        lock bts [shared_info + SH_MASK], rax
        mov [event_op], edi
        BENCH ROUNDS
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, event_op
        END "event send to a masked port"
        SUCCEEDED "send"

        mov dword [callback], CALLBACK_EVENT | CALLBACKF_MASK_EVENTS << 16
        mov qword [callback + 8], quick_upcall
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, callback
        SUCCEEDED "callback_op"
        mov qword [shared_info + SH_PENDING], 0
        mov qword [shared_info + SH_MASK], 0
        mov qword [shared_info + VI_SELECTOR], 0
        mov word [shared_info + VI_PENDING], 0
        BENCH ROUNDS
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, event_op
        END "event to oneself with upcall"
        SUCCEEDED "send"
        MASK_UPCALLS
        ret

fifo_upcall:
        pop rcx
        pop r11
        mov byte [shared_info + VI_PENDING], 0
        mov dword [fifo_control], 0
        mov dword [fifo_words + r13 * 4], 0
        push 0
        push rcx
        push r11
        push rax
        mov eax, IRET_CALL
        syscall

; The same by the FIFO interface, which kernels of today prefer.
fifo_events:
        FRAME_OF fifo_control
        FIFO_CONTROL rax, 0, 0
        SUCCEEDED "init_control"
        FRAME_OF fifo_words
        FIFO_ARRAY rax
        SUCCEEDED "expand_array"
        call loopback
        SUCCEEDED "a pair of ports"
        mov r13d, esi
        mov dword [fifo_words + r13 * 4], FIFO_MASKED
        mov [event_op], edi
        BENCH ROUNDS
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, event_op
        END "FIFO event send to a masked port"
        SUCCEEDED "send"

        mov qword [callback + 8], fifo_upcall
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, callback
        SUCCEEDED "callback_op"
        mov dword [fifo_control], 0
        mov eax, [event_op]
        mov dword [fifo_words + rax * 4], 0     ; binding had put it into the queue
        mov dword [fifo_words + r13 * 4], 0
        mov word [shared_info + VI_PENDING], 0
        BENCH ROUNDS
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, event_op
        END "FIFO event to oneself with upcall"
        SUCCEEDED "send"
        MASK_UPCALLS
        ret

; A page at the end of the memory, which nothing maps, given back and taken again.
reservations:
        mov rax, [start_info]
        mov rcx, [rax + SI_NR_PAGES]
        dec rcx
        mov r13, rcx
        mov rax, [rax + SI_MFN_LIST]
        mov rdx, [rax + rcx * 8]
        mov [extent], rdx
        mov qword [reservation], extent
        mov qword [reservation + 8], 1
        mov qword [reservation + 16], 0
        mov qword [reservation + 24], DOMID_SELF
        mov qword [new_reservation], new_extent
        mov qword [new_reservation + 8], 1
        mov qword [new_reservation + 16], 0
        mov qword [new_reservation + 24], DOMID_SELF
        BENCH ROUNDS
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, reservation
        mov [new_extent], r13
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, new_reservation
        mov rdx, [new_extent]
        mov [extent], rdx
        END "populate + decrease one page"
        EXPECT rax, 1, "one page was populated"
        ret

grants:
        mov dword [grant_setup], DOMID_SELF
        mov dword [grant_setup + 4], 1
        mov qword [grant_setup + 16], grant_frames
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_SETUP, grant_setup, 1
        SUCCEEDED "setup_table"
        movsx rax, word [grant_setup + 8]
        SUCCEEDED "setup_table's status"
        mov rsi, [grant_frames]
        shl rsi, 12
        or rsi, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, grant_table, rsi, UVMF_INVLPG
        SUCCEEDED "mapping of the grant table"
        FRAME_OF many_pages
        mov [grant_copy], rax
        mov word [grant_copy + 8], DOMID_SELF
        mov word [grant_copy + 10], 0
        FRAME_OF page
        mov [grant_copy + 16], rax
        mov word [grant_copy + 24], DOMID_SELF
        mov word [grant_copy + 26], 0
        mov word [grant_copy + 32], 4096
        mov word [grant_copy + 34], 0
        BENCH ROUNDS
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, grant_copy, 1
        END "grant copy, 4,096 bytes"
        call .check
        mov word [grant_copy + 32], 64
        BENCH ROUNDS
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, grant_copy, 1
        END "grant copy, 64 bytes"
        call .check

        ; From what was granted, as network back ends do.
        call own_domain
        mov [grant_copy + 8], ax
        mov [grant_table + 8 * 8 + 2], ax
        FRAME_OF many_pages
        mov [grant_table + 8 * 8 + 4], eax
        mov word [grant_table + 8 * 8], GTF_PERMIT_ACCESS
        mov qword [grant_copy], 8
        mov word [grant_copy + 34], GNTCOPY_SOURCE_GREF
        BENCH ROUNDS
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, grant_copy, 1
        END "grant copy, 64 bytes, by reference"
.check: SUCCEEDED "copy"
        movsx rax, word [grant_copy + 36]
        SUCCEEDED "copy's status"
        ret

; The loop runs in user mode and hands its result over by a call that the kernel knows by r9.
user_mode:
        call user_tables
        SUCCEEDED "user page tables"
        mov dword [callback], CALLBACK_SYSCALL | CALLBACKF_MASK_EVENTS << 16
        mov qword [callback + 8], .system_call
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, callback
        SUCCEEDED "callback_op"
        HYPERCALL STACK_SWITCH, FLAT_SS, kernel_stack_top
        SUCCEEDED "stack_switch"
        mov [main_stack], rsp
        xor r9d, r9d
        jmp enter_user
.system_call:
        test r9d, r9d
        jnz .finish
        pop rcx
        pop r11
        push VGCF_IN_SYSCALL
        push rcx
        push r11
        push rax
        mov eax, IRET_CALL
        syscall
.finish:
        mov rsp, [main_stack]
        FIGURE "system call round trip from guest user mode"
        ret

section .user alloc exec nowrite align=4096
user_entry:
        mov rbx, -1
        mov r12d, ROUNDS
.round: rdtsc
        mov ebp, eax
        syscall
        rdtsc
        sub eax, ebp
        cmp rax, rbx
        cmovb rbx, rax
        dec r12d
        jnz .round
        mov r9d, 1
        syscall
        align 4096, db 0xCC
section .text

tables:
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        mov qword [mmuext_op], NEW_BASEPTR
        mov [mmuext_op + 8], rax
        BENCH ROUNDS
        HYPERCALL MMUEXT_OP, mmuext_op, 1, 0, DOMID_SELF
        END "mmuext new_baseptr, same"
        SUCCEEDED "new_baseptr"

        PAGE_FLAGS page, READ_ONLY_PAGE
        SUCCEEDED "read-only page"
        call .pin_and_unpin
        FIGURE "pin + unpin an empty L1"

        PAGE_FLAGS page, WRITABLE_PAGE
        SUCCEEDED "writable page"
        mov r13d, 64
.fill:  mov rdi, r13
        dec rdi
        shl rdi, 12
        add rdi, many_pages
        call frame_of
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov [page + r13 * 8 - 8], rax
        dec r13d
        jnz .fill
        PAGE_FLAGS page, READ_ONLY_PAGE
        SUCCEEDED "read-only page"
        call .pin_and_unpin
        FIGURE "pin + unpin an L1 with 64 entries"
        ret

.pin_and_unpin:
        FRAME_OF page
        mov [mmuext_op + 8], rax
        mov rbx, -1
        mov r12d, SLOW_ROUNDS
.round: rdtsc
        mov ebp, eax
        mov dword [mmuext_op], PIN_L1
        HYPERCALL MMUEXT_OP, mmuext_op, 1, 0, DOMID_SELF
        mov r9, rax
        mov dword [mmuext_op], UNPIN
        HYPERCALL MMUEXT_OP, mmuext_op, 1, 0, DOMID_SELF
        or r9, rax
        rdtsc
        sub eax, ebp
        cmp rax, rbx
        cmovb rbx, rax
        dec r12d
        jnz .round
        mov rax, r9
        SUCCEEDED "pin and unpin"
        ret

section .data
align 16
%macro QUICK_ENTRY 2
        db %1, 3
        dw FLAT_CS64
        dd 0
        dq %2
%endmacro
quick_table:
        QUICK_ENTRY 3, quick_trap
        QUICK_ENTRY 6, quick_trap
        QUICK_ENTRY 13, quick_trap_with_error
        QUICK_ENTRY 14, quick_trap_with_error
        dq 0, 0

section .bss
alignb 4096
page:           resb 4096
grant_table:    resb 4096
alignb 64 * 4096                                ; within one table
many_pages:     resb 64 * 4096
many_requests:  resb 64 * 16
empty_requests: resb 64 * 16
second_request: resq 2
page_entry:     resq 1
page_entry_machine: resq 1
page_value:     resq 1
main_stack:     resq 1
extent:         resq 1
new_extent:     resq 1
reservation:    resq 4
new_reservation: resq 4
grant_setup:    resq 3
grant_frames:   resq 1
grant_copy:     resq 5

section .bss
alignb 4096
fifo_control:   resb 4096
fifo_words:     resb 4096
