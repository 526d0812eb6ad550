; SPDX-License-Identifier: MIT
; vm_assist: the assists of a 64-bit guest can be turned on and off, others do not exist.

%include "runtime.inc"

%macro ASSIST 2                                 ; type, name
        HYPERCALL VM_ASSIST, VMASST_ENABLE, %1
        EXPECT rax, 0, %2, " can be turned on"
        HYPERCALL VM_ASSIST, VMASST_ENABLE, %1
        EXPECT rax, 0, %2, " can be turned on twice"
        HYPERCALL VM_ASSIST, VMASST_DISABLE, %1
        EXPECT rax, 0, %2, " can be turned off"
%endmacro

%macro MAYBE 2
        HYPERCALL VM_ASSIST, VMASST_ENABLE, %1
        cmp rax, EINVAL
        je %%absent
        ASSIST %1, %2
%%absent:
%endmacro

main:
        ASSIST ASSIST_4GB, "4gb_segments"
        ASSIST ASSIST_WRITABLE_TABLES, "writable_pagetables"
        ASSIST ASSIST_PAE, "pae_extended_cr3"
        ASSIST ASSIST_RUNSTATE_FLAG, "runstate_update_flag"
        ; The rest need not be there; what is, works both ways.
        MAYBE ASSIST_IOPL, "architectural_iopl"
        MAYBE ASSIST_M2P_STRICT, "m2p_strict"
        HYPERCALL VM_ASSIST, VMASST_ENABLE, 20
        EXPECT rax, EINVAL, "there is no assist 20"
        HYPERCALL VM_ASSIST, VMASST_ENABLE, 64
        EXPECT rax, EINVAL, "there is no assist 64"
        HYPERCALL VM_ASSIST, 2, ASSIST_PAE
        EXPECT rax, ENOSYS, "there is no third command"
        ret
