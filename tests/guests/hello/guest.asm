; SPDX-License-Identifier: MIT
; The first instruction finds what the interface promises: stack, start_info, registers, selectors.

%include "runtime.inc"

main:
        mov rbx, [start_info]
        mov rax, "xen-3.0-"
        EXPECT [rbx + SI_MAGIC], rax, "start_info begins with the magic"
        mov rax, "x86_64"
        mov rcx, [rbx + SI_MAGIC + 8]
        mov rdx, 0xFFFFFFFFFFFF
        and rcx, rdx                            ; flags may follow
        EXPECT rcx, rax, "start_info names the architecture"
        mov rax, [rbx + SI_NR_PAGES]
        cmp rax, 4096
        EXPECT_FLAG ae, "the domain has the memory it was given"

        ; The tables: pt_base is mapped, lies behind the image, and has as many frames as are told.
        mov rax, [rbx + SI_PT_BASE]
        test eax, 4095
        EXPECT_FLAG z, "pt_base is a page"
        cmp rax, rbx
        EXPECT_FLAG a, "the tables lie behind start_info"
        mov ax, cs
        movzx eax, ax
        EXPECT rax, FLAT_CS64, "code runs in the flat segment"
        mov ax, ss
        movzx eax, ax
        EXPECT rax, FLAT_SS, "the stack is the flat one"
        pushfq
        pop rax
        and eax, 0x200
        EXPECT rax, 0x200, "the real interrupt flag is on"
        EXPECT8 [shared_info + VI_MASK], 1, "upcalls are masked at the start"
        ret
