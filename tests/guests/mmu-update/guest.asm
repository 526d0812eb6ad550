; SPDX-License-Identifier: MIT
; mmu_update: entries of one's own tables change as asked, the count of what was done is right, and what would break out
; of the domain is refused.

%include "runtime.inc"
%include "memory.inc"

; REFUSED value, "promise": the entry of `page` cannot become that.
%macro REFUSED 2
        mov rbx, %1
        MMU_WRITE [entry_machine], rbx
        test rax, rax
        EXPECT_FLAG s, %2
        EXPECT32 [mmu_done], 0, %2, ": nothing was done"
        mov rbx, [entry]
        EXPECT [rbx], [value], %2, ": the entry is as it was"
%endmacro

main:
        mov rdi, page
        call entry_of
        mov [entry], rax
        mov [entry_machine], rdx
        mov rcx, [rax]
        mov [value], rcx

        HYPERCALL MMU_UPDATE, 0, 0, 0, DOMID_SELF
        EXPECT rax, 0, "no updates are no error"

        ; Read-only and back.
        mov rbx, [value]
        and rbx, ~RW
        MMU_WRITE [entry_machine], rbx
        EXPECT rax, 0, "a page can be made read-only"
        EXPECT [mmu_done], 1, "one update was done"
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        EXPECT rax, 0, "INVLPG"
        EXPECT_TRAP 14, "a read-only page faults", mov [page], eax
        mov rbx, [value]
        MMU_WRITE [entry_machine], rbx
        EXPECT rax, 0, "and writable again"
        mov dword [page], 0x600D

        ; A and D are kept by the second kind alone.
        mov rbx, [value]
        and rbx, ~(ACCESSED | DIRTY)
        MMU_WRITE [entry_machine], rbx
        EXPECT rax, 0, "A and D can be cleared"
        mov rcx, [entry]
        mov rax, [rcx]
        and eax, DIRTY
        EXPECT rax, 0, "D is clear"
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        mov dword [page], 0x600D
        mov rcx, [entry]
        mov rax, [rcx]
        and eax, ACCESSED | DIRTY
        EXPECT rax, ACCESSED | DIRTY, "a write sets A and D"
        mov rdx, [entry_machine]
        or rdx, MMU_PRESERVE_AD
        MMU_WRITE rdx, rbx
        EXPECT rax, 0, "the second kind is carried out"
        mov rcx, [entry]
        mov rax, [rcx]
        and eax, ACCESSED | DIRTY
        EXPECT rax, ACCESSED | DIRTY, "A and D are kept"
        MMU_WRITE [entry_machine], [value]
        EXPECT rax, 0, "all is as it was"
        mov rcx, [entry]
        mov rcx, [rcx]
        mov [value], rcx

        ; Another frame, then nothing, then the first again: what is in them shows.
        mov dword [other], 0xCAFE
        FRAME_OF other
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov rbx, rax
        MMU_WRITE [entry_machine], rbx
        EXPECT rax, 0, "another frame is mapped"
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        EXPECT32 [page], 0xCAFE, "and seen"
        MMU_WRITE [entry_machine], 0
        EXPECT rax, 0, "the entry is emptied"
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        EXPECT_TRAP 14, "nothing is mapped", mov eax, [page]
        mov rbx, 0x7FFFFFFFFFFFFFFE
        MMU_WRITE [entry_machine], rbx
        EXPECT rax, 0, "an entry that is not present may hold anything"
        mov rcx, [entry]
        EXPECT [rcx], rbx, "and does"
        MMU_WRITE [entry_machine], [value]
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        EXPECT32 [page], 0x600D, "the first frame is back"

        ; The machine-to-physical table.
        FRAME_OF other
        mov rbx, rax
        shl rax, 12
        or rax, MMU_M2P
        MMU_WRITE rax, 0x12345
        EXPECT rax, 0, "an entry of the machine-to-physical table is set"
        mov rcx, M2P_BASE
        EXPECT [rcx + rbx * 8], 0x12345, "and seen"
        mov rax, other
        sub rax, VIRT_BASE
        shr rax, 12
        mov r9, rax
        mov rax, rbx
        shl rax, 12
        or rax, MMU_M2P
        MMU_WRITE rax, r9
        EXPECT rax, 0, "and set back"

        ; What would be a way out.
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        or rax, WRITABLE_PAGE
        REFUSED rax, "a page table cannot be mapped writable"
        mov rax, [entry_machine]
        and rax, ~4095
        or rax, WRITABLE_PAGE
        REFUSED rax, "a leaf table neither"
        mov rax, [value]
        or rax, GLOBAL_PAGE
        mov rbx, rax
        MMU_WRITE [entry_machine], rbx
        test rax, rax
        jnz .refused_global
        MMU_WRITE [entry_machine], [value]
.refused_global:
        mov rax, [value]
        mov rcx, 1 << 51
        or rax, rcx
        ; A domain with devices may map whatever no RAM is, as it likes.
        cmp qword [is_privileged], 0
        jne .privileged
        REFUSED rax, "a frame that no machine has is refused"
        mov rax, WRITABLE_PAGE | 0xB8000
        REFUSED rax, "a device's memory cannot be mapped without the right to it"
        mov rax, WRITABLE_PAGE | 0xFEE00000
        REFUSED rax, "nor the local APIC"
        mov rax, WRITABLE_PAGE | 0x200000
        REFUSED rax, "nor the hypervisor's own memory"
        mov rax, 0x000FFFFFFF000000 | WRITABLE_PAGE
        REFUSED rax, "a frame beyond memory cannot be mapped"
        mov rax, [value]
        or rax, PSE
        REFUSED rax, "the bit that is PAT in a leaf is refused"
.privileged:
        MMU_WRITE 0x1000, 0
        test rax, rax
        EXPECT_FLAG s, "an update of a frame that is no table of ours fails"
        FRAME_OF other
        shl rax, 12
        MMU_WRITE rax, 0x1234
        EXPECT rax, 0, "a page that is not a table is written as plain memory"
        EXPECT [other], 0x1234, "and holds what was asked"

        ; The hypervisor's slots of the root, and the other kinds of tables.
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        lea rbx, [rax + 256 * 8]
        MMU_WRITE rbx, 0
        test rax, rax
        EXPECT_FLAG s, "the first of the hypervisor's slots is refused"
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        lea rbx, [rax + 271 * 8]
        MMU_WRITE rbx, 0
        test rax, rax
        EXPECT_FLAG s, "the last as well"
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        mov rbx, rax
        FRAME_OF other
        shl rax, 12
        or rax, TABLE_PAGE
        mov r9, rax
        MMU_WRITE rbx, r9
        test rax, rax
        EXPECT_FLAG s, "a frame that is mapped writable cannot become a table"

        ; A batch stops at the first that fails, and says how far it came.
        mov rax, [entry_machine]
        mov rcx, [value]
        mov [batch], rax
        mov [batch + 8], rcx
        mov [batch + 16], rax
        mov [batch + 24], rcx
        mov [batch + 32], rax
        push rax
        mov rcx, [start_info]
        FRAME_OF [rcx + SI_PT_BASE]
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov [batch + 40], rax
        pop rax
        mov [batch + 48], rax
        mov rcx, [value]
        mov [batch + 56], rcx
        mov qword [mmu_done], 0
        HYPERCALL MMU_UPDATE, batch, 4, mmu_done, DOMID_SELF
        test rax, rax
        EXPECT_FLAG s, "a batch with a bad request fails"
        EXPECT32 [mmu_done], 2, "after two"
        HYPERCALL MMU_UPDATE, 0x1000, 1, mmu_done, DOMID_SELF
        EXPECT rax, EFAULT, "a request that is nowhere is refused"
        HYPERCALL MMU_UPDATE, batch, 1, mmu_done, 0x1234
        test rax, rax
        EXPECT_FLAG s, "there is no domain 1234h"
        ret

section .data
align 8
flush_page:     dq INVLPG_LOCAL, page, 0
section .bss
alignb 4096
page:   resb 4096
other:  resb 4096
entry:  resq 1
entry_machine: resq 1
value:  resq 1
batch:  resq 8
