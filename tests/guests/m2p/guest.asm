; SPDX-License-Identifier: MIT
; The machine-to-physical table: readable, right for each frame of the guest, not writable, with faults where it has holes.

%include "runtime.inc"
%include "memory.inc"

main:
        mov rbx, [start_info]
        mov r12, [rbx + SI_NR_PAGES]
        mov rbp, [rbx + SI_MFN_LIST]
        mov r9, M2P_BASE
        xor r13d, r13d
.page:  mov rax, [rbp + r13 * 8]
        mov rcx, [r9 + rax * 8]
        cmp rcx, r13
        EXPECT_FLAG e, "each frame of the guest leads back to its page"
        inc r13
        cmp r13, r12
        jb .page

        mov rax, M2P_BASE
        EXPECT_TRAP 14, "the table is not writable", mov [rax], rcx
        EXPECT [trap_cr2], rax, "the fault names the address"
        mov rax, [trap_error]
        and eax, ~1
        EXPECT rax, 2, "as a write of the kernel"
        mov rax, M2P_BASE + (1 << 36) - 8
        EXPECT_TRAP 14, "beyond memory there is a hole", mov rcx, [rax]
        EXPECT [trap_error], 0, "which is not present"
        EXPECT [trap_cr2], rax, "at its address"
        mov rax, M2P_BASE + (1 << 38)
        EXPECT_TRAP 14, "what lies behind is not the guest's", mov rcx, [rax]
        mov rax, HYPERVISOR_END - 8
        EXPECT_TRAP 14, "nor is the end of the hypervisor's space", mov rcx, [rax]
        mov rax, [trap_error]
        EXPECT rax, 0, "of which the guest learns nothing"
        mov rax, 0xFFFF830000000000             ; where a direct map would be
        EXPECT_TRAP 14, "the hypervisor's memory is not readable", mov rcx, [rax]
        EXPECT_TRAP 14, "nor writable", mov [rax], rcx
        EXPECT_TRAP 14, "nor can it be run", call rax

        mov qword [buffer], 0
        HYPERCALL MEMORY_OP, MACHPHYS_MAPPING, buffer
        EXPECT rax, 0, "where the table lies can be asked"
        mov rcx, M2P_BASE
        EXPECT [buffer], rcx, "it begins where the header says"
        mov rax, [buffer + 16]
        cmp rax, 0x1000
        EXPECT_FLAG ae, "and has an entry for each frame"
        ret

section .bss
buffer: resq 4
