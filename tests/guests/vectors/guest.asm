; SPDX-License-Identifier: MIT
; The vector and x87 registers of a guest are its own: hypercalls, faults, emulation, blocking and timer ticks leave every
; bit of them alone.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        call events_start
        mov qword [event_op], VIRQ_TIMER
        HYPERCALL EVENT_CHANNEL_OP, BIND_VIRQ, event_op
        EXPECT rax, 0, "the timer's VIRQ is bound"

        ; A pattern for everything.
        mov rdi, pattern
        mov ecx, 16 * 16
        mov al, 0x11
.fill:  mov [rdi], al
        add al, 37
        inc rdi
        dec ecx
        jnz .fill
%assign register 0
%rep 16
        movdqu xmm%+register, [pattern + register * 16]
%assign register register + 1
%endrep
        mov dword [control], 0x7F80 | 0x2000    ; rounds down
        ldmxcsr [control]
        fninit
        fldpi
        fldl2e
        fld1
        mov word [x87_control], 0x0B7F
        fldcw [x87_control]
        fxsave64 [before]

        HYPERCALL XEN_VERSION, 3, buffer
        call check
        HYPERCALL CONSOLE_IO, 0, 0, 0
        call check
        TRY ud2
        call check
        mov eax, 0x1000
        TRY mov eax, [rax]
        call check
        TRY hlt
        call check
        mov rax, cr0
        call check
        mov ecx, 0xC0000080
        rdmsr
        call check
        xor eax, eax
        ud2
        db "xen"
        cpuid
        call check
        FRAME_OF page
        MMUEXT CLEAR_PAGE, rax
        call check
        FRAME_OF page
        mov r9, rax
        FRAME_OF buffer
        MMUEXT COPY_PAGE, r9, rax
        call check
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        call check

        ; Blocked: somebody else's registers, or nobody's, are in the processor meanwhile.
        mov r13d, 5
.block: HYPERCALL VCPU_OP, VCPUOP_STOP_PERIODIC, 0, 0
        mov qword [deadline], 1
        HYPERCALL VCPU_OP, VCPUOP_SET_SINGLESHOT, 0, deadline
        HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0
        MASK_UPCALLS
        call check
        call system_time
        add rax, 2000000
        mov [deadline], rax
        HYPERCALL VCPU_OP, VCPUOP_SET_SINGLESHOT, 0, deadline
        HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0
        MASK_UPCALLS
        call check
        dec r13d
        jnz .block

        ; Ticks while the guest computes.
        call system_time
        lea rbx, [rax + 30000000]
.spin:  call system_time
        cmp rax, rbx
        jb .spin
        call check
        ret

check:  fxsave64 [after]
        mov rsi, before
        mov rdi, after
        ; x87 control, status and tags; not the last instruction's addresses, which some processors do not keep.
        mov eax, [rsi]
        cmp eax, [rdi]
        EXPECT_FLAG e, "x87 control and status words are kept"
        mov eax, [rsi + 24]
        cmp eax, [rdi + 24]
        EXPECT_FLAG e, "MXCSR is kept"
        add rsi, 32
        add rdi, 32
        mov ecx, 128
        repe cmpsb
        EXPECT_FLAG e, "x87 registers are kept"
        mov rsi, before + 160
        mov rdi, after + 160
        mov ecx, 256
        repe cmpsb
        EXPECT_FLAG e, "all sixteen vector registers are kept"
        ret

%include "clock.inc"

section .bss
alignb 4096
page:   resb 4096
buffer: resb 4096
before: resb 512
after:  resb 512
pattern: resb 256
control: resq 1
x87_control: resq 1
deadline: resq 2
