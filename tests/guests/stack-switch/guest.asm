; SPDX-License-Identifier: MIT
; stack_switch takes any stack; exceptions of the kernel itself stay on the stack they happen on.

%include "runtime.inc"
%include "rawtrap.inc"

        RAW_HANDLER 3

main:
        HYPERCALL SET_TRAP_TABLE, raw_table
        EXPECT rax, 0, "the trap table is accepted"
        HYPERCALL STACK_SWITCH, FLAT_SS, other_stack_top
        EXPECT rax, 0, "a stack is accepted"
        CATCH .after
        int3
.after: mov rax, [test_stack]
        sub rax, [raw_stack]
        cmp rax, 72
        EXPECT_FLAG be, "the kernel's own exceptions use its current stack"
        HYPERCALL STACK_SWITCH, 0, other_stack_top
        EXPECT rax, 0, "a null selector is a selector"
        HYPERCALL STACK_SWITCH, FLAT_SS & ~3, other_stack_top
        EXPECT rax, 0, "privilege is fixed, not refused"

        ; A stack that is not aligned is aligned downwards.
        mov rbx, rsp
        sub rsp, 0x123
        CATCH .after_odd
        int3
.after_odd:
        mov rcx, [raw_frame + F_RSP]
        mov rsp, rbx
        sub rbx, 0x123
        EXPECT rcx, rbx, "an odd rsp is in the frame as it was"
        ret

section .data
align 16
raw_table:
        RAW_ENTRY 3, 3
        dq 0, 0
section .bss
alignb 16
other_stack:    resb 4096
other_stack_top:
