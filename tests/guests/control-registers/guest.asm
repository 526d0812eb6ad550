; SPDX-License-Identifier: MIT
; Privileged instructions of a guest kernel that are carried out, ignored or refused: control registers, CLI and STI, HLT,
; XSETBV, ports, cache instructions.

%include "runtime.inc"
%include "memory.inc"

main:
        mov rax, cr0
        mov rbx, rax
        mov ecx, 0x80000001
        and rax, rcx
        EXPECT rax, rcx, "CR0 has PE and PG"
        bt rbx, 3
        EXPECT_FLAG nc, "TS is clear at the start"

        ; TS: by the hypercall, by MOV to CR0, by CLTS; the first use of the FPU faults and clears it.
        HYPERCALL FPU_TASKSWITCH, 1
        EXPECT rax, 0, "fpu_taskswitch works"
        mov rax, cr0
        bt rax, 3
        EXPECT_FLAG c, "fpu_taskswitch sets TS"
        EXPECT_TRAP 7, "the FPU is not available while TS is set", fnop
        mov rax, cr0
        bt rax, 3
        EXPECT_FLAG nc, "delivering the exception clears TS"
        EXPECT_TRAP NO_TRAP, "the FPU is available again", fnop
        mov rax, cr0
        or rax, 8
        mov cr0, rax
        EXPECT_TRAP 7, "MOV to CR0 sets TS", movaps xmm0, xmm1
        HYPERCALL FPU_TASKSWITCH, 1
        clts
        EXPECT_TRAP NO_TRAP, "CLTS clears TS", fnop
        HYPERCALL FPU_TASKSWITCH, 1
        HYPERCALL FPU_TASKSWITCH, 0
        EXPECT_TRAP NO_TRAP, "fpu_taskswitch clears TS", fnop

        mov rax, cr0
        mov cr0, rax
        btr rax, 31
        EXPECT_TRAP 13, "paging cannot be switched off", mov cr0, rax

        mov eax, 0x1234
        TRY mov rax, [rax]
        mov rax, cr2
        EXPECT rax, 0x1234, "CR2 has the address of the last fault"
        mov eax, 0x5678
        mov cr2, rax
        EXPECT [shared_info + VI_CR2], 0x5678, "CR2 is in vcpu_info"

        mov rbx, [start_info]
        FRAME_OF [rbx + SI_PT_BASE]
        shl rax, 12
        mov rbx, cr3
        EXPECT rbx, rax, "CR3 has the machine address of the root"
        mov cr3, rbx
        mov rax, cr3
        EXPECT rax, rbx, "CR3 may be written with what it holds"
        FRAME_OF page
        shl rax, 12
        mov rbx, rax
        PAGE_FLAGS page, WRITABLE_PAGE
        EXPECT_TRAP 13, "CR3 with a page that is no root is refused", mov cr3, rbx

        mov rax, cr4
        mov rbx, rax
        bt rax, 5
        EXPECT_FLAG c, "CR4 has PAE"
        mov cr4, rbx
        mov rax, cr4
        EXPECT rax, rbx, "CR4 may be written with what it holds"
        EXPECT_TRAP 13, "there is no CR8", mov rax, cr8
        xor eax, eax
        EXPECT_TRAP 13, "CR8 cannot be written", mov cr8, rax

        ; CLI and STI: with the virtual IOPL of a kernel they do nothing.
        mov qword [iopl], 1
        HYPERCALL PHYSDEV_OP, 6, iopl
        EXPECT rax, 0, "set_iopl works"
        mov byte [shared_info + VI_MASK], 1
        EXPECT_TRAP NO_TRAP, "CLI is ignored", cli
        pushfq
        pop rax
        bt rax, 9
        EXPECT_FLAG c, "the real interrupt flag stays"
        EXPECT_TRAP NO_TRAP, "STI is ignored", sti
        EXPECT8 [shared_info + VI_MASK], 1, "STI does not unmask upcalls"
        mov qword [iopl], 4
        HYPERCALL PHYSDEV_OP, 6, iopl
        EXPECT rax, EINVAL, "there is no IOPL 4"
        mov qword [iopl], 1
        HYPERCALL PHYSDEV_OP, 6, iopl

        EXPECT_TRAP 13, "HLT is refused", hlt
        EXPECT_TRAP 13, "LGDT is refused", lgdt [iopl]
        EXPECT_TRAP 13, "LIDT is refused", lidt [iopl]
        mov eax, 0x28
        EXPECT_TRAP 13, "LTR is refused", ltr ax
        EXPECT_TRAP NO_TRAP, "WBINVD is tolerated", wbinvd
        EXPECT_TRAP 6, "UD2 is none of these", ud2
        EXPECT_TRAP 13, "SWAPGS is refused", swapgs
        EXPECT_TRAP 13, "SYSRET is refused", sysret
        EXPECT_TRAP 13, "an unaligned INT is refused", int 0xF0

        ; XCR0
        mov rax, cr4
        bt rax, 18
        jnc .ports
        xor ecx, ecx
        xgetbv
        mov ebx, eax
        xsetbv
        xgetbv
        EXPECT rax, rbx, "XCR0 may be written with what it holds"
        mov rax, rbx
        and eax, ~1
        xor edx, edx
        EXPECT_TRAP 13, "XCR0 cannot lose the FPU", xsetbv
        mov eax, ebx
        mov ecx, 5
        EXPECT_TRAP 13, "there is no XCR5", xsetbv

.ports: cmp qword [is_privileged], 0
        jne .done
        mov eax, 0
        EXPECT_TRAP NO_TRAP, "a port that the domain may not have is read", in al, 0x42
        movzx eax, al
        EXPECT rax, 0xFF, "as if nothing were there"
        EXPECT_TRAP NO_TRAP, "and written to no effect", out 0x80, al
.done:  ret

section .bss
alignb 4096
page:   resb 4096
iopl:   resq 2
