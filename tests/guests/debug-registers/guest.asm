; SPDX-License-Identifier: MIT
; Debug registers: breakpoints of the guest's own, single stepping, none on the hypervisor.

%include "runtime.inc"

main:
        HYPERCALL SET_DEBUGREG, 0, marked
        EXPECT rax, 0, "a breakpoint's address is set"
        HYPERCALL GET_DEBUGREG, 0
        EXPECT rax, marked, "and read back"
        HYPERCALL SET_DEBUGREG, 7, 0x402        ; global, execute
        EXPECT rax, 0, "it is turned on"
        mov rbx, rsp
        TRY call marked
        mov rsp, rbx
        EXPECT [trap_vector], 1, "the breakpoint is a debug exception"
        EXPECT [trap_rip], marked, "at its address"
        HYPERCALL GET_DEBUGREG, 6
        bt rax, 0
        EXPECT_FLAG c, "DR6 names it"
        HYPERCALL SET_DEBUGREG, 7, 0x400
        EXPECT rax, 0, "it is turned off"
        HYPERCALL SET_DEBUGREG, 6, 0
        EXPECT_TRAP NO_TRAP, "and does nothing", call marked

        ; A watchpoint on data.
        HYPERCALL SET_DEBUGREG, 1, data
        EXPECT rax, 0, "the second address is set"
        HYPERCALL SET_DEBUGREG, 7, 0x400 | 8 | 0x00D00000
        EXPECT rax, 0, "for writes of four bytes"
        EXPECT_TRAP 1, "a write is noticed", mov dword [data], 1
        HYPERCALL GET_DEBUGREG, 6
        bt rax, 1
        EXPECT_FLAG c, "DR6 names the second"
        HYPERCALL SET_DEBUGREG, 7, 0x400
        mov rax, dr1
        EXPECT rax, data, "MOV from DR1 is carried out"
        mov rax, data + 8
        mov dr1, rax
        HYPERCALL GET_DEBUGREG, 1
        EXPECT rax, data + 8, "MOV to DR1 is carried out"

        ; Single steps.
        TRY_BEGIN
        pushfq
        or qword [rsp], 0x100
        popfq
stepped: nop
        nop
        TRY_END
        EXPECT [trap_vector], 1, "a single step is a debug exception"
        EXPECT [trap_rip], stepped + 1, "after the instruction"
        HYPERCALL GET_DEBUGREG, 6
        bt rax, 14
        EXPECT_FLAG c, "DR6 says single step"
        pushfq
        and qword [rsp], ~0x100
        popfq

        mov rbx, 0xFFFF82D040000000
        HYPERCALL SET_DEBUGREG, 0, rbx
        EXPECT rax, EPERM, "no breakpoint in the hypervisor"
        mov rbx, 0x8000000000000000
        HYPERCALL SET_DEBUGREG, 0, rbx
        test rax, rax
        EXPECT_FLAG s, "nor at an address that is not canonical"
        HYPERCALL SET_DEBUGREG, 9, 0
        test rax, rax
        EXPECT_FLAG s, "there is no DR9"
        ret

marked: nop
        ret

section .data
align 8
data:   dq 0, 0
