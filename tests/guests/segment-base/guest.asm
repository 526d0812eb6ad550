; SPDX-License-Identifier: MIT
; set_segment_base: the bases of FS and of both GS, and the user's GS selector.

%include "runtime.inc"

main:
        mov rbx, data
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_FS, rbx
        EXPECT rax, 0, "the base of FS is set"
        EXPECT [fs:8], 0x600D, "and counts"
        lea rbx, [data + 8]
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_GS_KERNEL, rbx
        EXPECT rax, 0, "the base of GS is set"
        EXPECT [gs:0], 0x600D, "and counts for the kernel"
        mov rbx, 0x1122334455
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_GS_USER, rbx
        EXPECT rax, 0, "the user's base of GS is set"
        EXPECT [gs:0], 0x600D, "and does not count for the kernel"
        mov ecx, 0xC0000102
        rdmsr
        shl rdx, 32
        or rax, rdx
        EXPECT rax, rbx, "but shows in KERNEL_GS_BASE"
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_GS_USER_SEL, FLAT_SS
        EXPECT rax, 0, "the user's GS selector is set"
        EXPECT [gs:0], 0x600D, "without a change for the kernel"
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_GS_USER_SEL, 0
        EXPECT rax, 0, "it may be null"
        mov rbx, 0x8000000000000000
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_FS, rbx
        EXPECT rax, EINVAL, "a base that is not canonical is refused for FS"
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_GS_KERNEL, rbx
        EXPECT rax, EINVAL, "for GS"
        HYPERCALL SET_SEGMENT_BASE, SEGBASE_GS_USER, rbx
        EXPECT rax, EINVAL, "and for the user's GS"
        HYPERCALL SET_SEGMENT_BASE, 9, 0
        EXPECT rax, EINVAL, "there is no ninth base"
        EXPECT [fs:8], 0x600D, "FS is as it was"
        ret

section .data
align 16
data:   dq 1, 0x600D
