; SPDX-License-Identifier: MIT
; memory_op: pages are given back and taken again, the numbers agree, mapped pages and foreign frames are refused.

%include "runtime.inc"
%include "memory.inc"

%macro RESERVATION 3                            ; list, number, order
        mov rax, %1
        mov [request], rax
        mov qword [request + 8], %2
        mov dword [request + 16], %3
        mov dword [request + 20], 0
        mov qword [request + 24], DOMID_SELF
%endmacro

main:
        mov word [domain], DOMID_SELF
        HYPERCALL MEMORY_OP, CURRENT_RESERVATION, domain
        mov rbx, [start_info]
        mov rbp, rax
        EXPECT rax, [rbx + SI_NR_PAGES], "current_reservation is what start_info says"
        HYPERCALL MEMORY_OP, MAXIMUM_RESERVATION, domain
        cmp rax, rbp
        EXPECT_FLAG ge, "maximum_reservation is no less"
        HYPERCALL MEMORY_OP, MAXIMUM_RAM_PAGE, 0
        cmp rax, rbp
        EXPECT_FLAG g, "the machine has more than that"

        ; The last pages are not mapped by anything.
        mov r12, [rbx + SI_NR_PAGES]
        sub r12, 4
        mov rbx, [rbx + SI_MFN_LIST]
%assign index 0
%rep 4
        mov rax, [rbx + r12 * 8 + index * 8]
        mov [frames + index * 8], rax
%assign index index + 1
%endrep
        RESERVATION frames, 4, 0
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, request
        EXPECT rax, 4, "four pages are given back"
        HYPERCALL MEMORY_OP, CURRENT_RESERVATION, domain
        sub rbp, 4
        EXPECT rax, rbp, "they are no longer counted"
        RESERVATION frames, 1, 0
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, request
        EXPECT rax, 0, "what is gone is not given back"

%assign index 0
%rep 4
        lea rax, [r12 + index]
        mov [frames + index * 8], rax
%assign index index + 1
%endrep
        RESERVATION frames, 4, 0
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, request
        EXPECT rax, 4, "four pages are taken"
        mov r9, M2P_BASE
%assign index 0
%rep 4
        mov rax, [frames + index * 8]
        lea rcx, [r12 + index]
        EXPECT [r9 + rax * 8], rcx, "the machine-to-physical table knows them"
        mov [rbx + r12 * 8 + index * 8], rax
%assign index index + 1
%endrep
        HYPERCALL MEMORY_OP, CURRENT_RESERVATION, domain
        add rbp, 4
        EXPECT rax, rbp, "they are counted again"

        ; New pages come without anyone's old contents.
        mov rax, [frames]
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov rsi, rax
        HYPERCALL UPDATE_VA_MAPPING, window, rsi, UVMF_INVLPG
        EXPECT rax, 0, "a new page can be mapped"
        mov rdi, window
        xor eax, eax
        mov ecx, 512
        repe scasq
        EXPECT_FLAG e, "it is empty"

        ; A page that is mapped stays the guest's until it no longer is.
        mov qword [window], 0x600D
        RESERVATION frames, 1, 0
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, request
        mov r13, rax
        EXPECT [window], 0x600D, "a mapped page does not vanish"
        cmp r13, 1
        ja .bad_count
        HYPERCALL UPDATE_VA_MAPPING, window, 0, UVMF_INVLPG
        EXPECT rax, 0, "it is unmapped"

        ; A page table is not given back.
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        mov [frames], rax
        mov rcx, [start_info]
        mov rdi, [rcx + SI_PT_BASE]
        RESERVATION frames, 1, 0
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, request
        mov rax, cr3                            ; all is well as long as this runs
        mov rax, 0x123456789
        mov [frames], rax
        RESERVATION frames, 1, 0
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, request
        EXPECT rax, 0, "a frame beyond memory is not given back"
        cmp qword [is_privileged], 0
        jne .pointers
        mov qword [frames], 0x200               ; the hypervisor's image
        RESERVATION frames, 1, 0
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, request
        EXPECT rax, 0, "a frame of the hypervisor is not given back"

        ; More than the domain may have.
        HYPERCALL MEMORY_OP, MAXIMUM_RESERVATION, domain
        mov r13, rax
        HYPERCALL MEMORY_OP, CURRENT_RESERVATION, domain
        sub r13, rax
        cmp r13, 8
        jae .pointers
        mov rax, [start_info]
        mov r12, [rax + SI_NR_PAGES]
%assign index 0
%rep 16
        lea rax, [r12 + index]
        mov [frames + index * 8], rax
%assign index index + 1
%endrep
        RESERVATION frames, 16, 0
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, request
        EXPECT rax, r13, "no more than its maximum is taken"
.pointers:
        RESERVATION 0x1000, 1, 0
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, request
        test rax, rax
        EXPECT_FLAG le, "a list that is nowhere populates nothing"
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, 0x1000
        test rax, rax
        EXPECT_FLAG le, "a request that is nowhere populates nothing"
        RESERVATION frames, 1, 0
        mov word [request + 24], 0x1234
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, request
        test rax, rax
        EXPECT_FLAG le, "there is no domain 1234h"
        HYPERCALL MEMORY_OP, 55, request
        EXPECT rax, ENOSYS, "there is no 55th operation"
        ret
.bad_count:
        FAILURE "one page was given back more than once"

section .bss
alignb 4096
window: resb 4096
frames: resq 16
request: resq 4
domain: resq 1
