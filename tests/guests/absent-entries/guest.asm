; SPDX-License-Identifier: MIT
; Page-table entries that are not present but name RAM: on a processor that reads ahead through them they are refused,
; whichever way they come; those whose address lies beyond all RAM, as Linux writes them, are not.

%include "runtime.inc"
%include "memory.inc"

BEYOND          equ 0x000FFFFFFFFFF000          ; no machine has so much

main:
        ; A Domain-0 can read all memory anyway, and is exempt.
        cmp qword [is_privileged], 0
        jne .done
        mov rdi, page
        call entry_of
        mov rbx, rax
        mov r12, rdx
        mov rbp, [rax]
        and rbp, ~(ACCESSED | DIRTY)
        mov r13, rbp
        and r13, ~1

        MMU_WRITE r12, r13
        EXPECT rax, EINVAL, "mmu_update: an absent entry that names RAM is refused"
        mov rax, [rbx]
        and rax, ~(ACCESSED | DIRTY)
        EXPECT rax, rbp, "the entry is as it was"
        HYPERCALL UPDATE_VA_MAPPING, page, r13, UVMF_INVLPG
        EXPECT rax, EINVAL, "update_va_mapping: the same"
        HYPERCALL VM_ASSIST, VMASST_ENABLE, ASSIST_WRITABLE_TABLES
        EXPECT rax, 0, "the assist is turned on"
        EXPECT_TRAP 14, "a store to the table faults", mov [rbx], r13
        EXPECT_TRAP 14, "and a change of one bit too", lock and byte [rbx], 0xFE

        mov r9, BEYOND
        EXPECT_TRAP NO_TRAP, "an address beyond all RAM may be kept", mov [rbx], r9
        EXPECT_TRAP NO_TRAP, "and so may flags alone", mov qword [rbx], 0x200
        MMU_WRITE r12, BEYOND
        EXPECT rax, 0, "mmu_update keeps one too"
        MMU_WRITE r12, rbp
        EXPECT rax, 0, "the page is mapped again"

        ; A table that contains one cannot become a table.
        mov [table + 8], r13
        PAGE_FLAGS table, READ_ONLY_PAGE
        EXPECT rax, 0, "the page is made read-only"
        FRAME_OF table
        mov rbx, rax
        MMUEXT PIN_L1, rbx
        EXPECT rax, EINVAL, "a table with such an entry is refused"
        PAGE_FLAGS table, WRITABLE_PAGE
        EXPECT rax, 0, "the page is made writable"
        mov r9, BEYOND
        mov [table + 8], r9
        PAGE_FLAGS table, READ_ONLY_PAGE
        EXPECT rax, 0, "the page is made read-only again"
        EXPECT [table + 8], r9, "it has the entry"
        MMUEXT PIN_L1, rbx
        EXPECT rax, 0, "without it, it is accepted"
        MMUEXT UNPIN, rbx
        EXPECT rax, 0, "and given back"
        PAGE_FLAGS table, WRITABLE_PAGE

        ; One level up.
        mov [table + 8], r13
        PAGE_FLAGS table, READ_ONLY_PAGE
        MMUEXT PIN_L2, rbx
        EXPECT rax, EINVAL, "a table of level 2 with such an entry is refused"
.done:  ret

section .bss
alignb 4096
page:   resb 4096
table:  resb 4096
