; SPDX-License-Identifier: MIT
; mmuext_op: tables are pinned and released, roots changed, pages cleared and copied, translations flushed.

%include "runtime.inc"
%include "memory.inc"


main:
        HYPERCALL MMUEXT_OP, 0, 0, 0, DOMID_SELF
        EXPECT rax, 0, "no operations are no error"

        ; An L1 with an entry, up to a root.
        FRAME_OF data
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov [table1], rax
        FRAME_OF table1
        MMUEXT PIN_L1, rax
        test rax, rax
        EXPECT_FLAG s, "a page that is mapped writable is not pinned"
        PAGE_FLAGS table1, READ_ONLY_PAGE
        EXPECT rax, 0, "it is made read-only"
        FRAME_OF table1
        MMUEXT PIN_L1, rax
        EXPECT rax, 0, "an L1 is pinned"
        PAGE_FLAGS table1, WRITABLE_PAGE
        test rax, rax
        EXPECT_FLAG s, "a pinned table cannot be mapped writable"
        FRAME_OF table1
        MMUEXT PIN_L1, rax
        test rax, rax
        EXPECT_FLAG s, "a pinned table is not pinned twice"
        FRAME_OF table1
        MMUEXT PIN_L2, rax
        test rax, rax
        EXPECT_FLAG s, "an L1 is no L2"

        FRAME_OF table1
        shl rax, 12
        or rax, TABLE_PAGE
        mov [table2], rax
        FRAME_OF table2
        shl rax, 12
        or rax, TABLE_PAGE
        mov [table3], rax
        mov rcx, rax
        FRAME_OF table3
        shl rax, 12
        or rax, TABLE_PAGE
        mov [table4], rax
        mov rax, [start_info]
        mov rax, [rax + SI_PT_BASE]
        mov rax, [rax + 511 * 8]
        mov [table4 + 511 * 8], rax             ; the kernel's half
        PAGE_FLAGS table2, READ_ONLY_PAGE
        EXPECT rax, 0, "table 2 is made read-only"
        PAGE_FLAGS table3, READ_ONLY_PAGE
        EXPECT rax, 0, "table 3 is made read-only"
        PAGE_FLAGS table4, READ_ONLY_PAGE
        EXPECT rax, 0, "table 4 is made read-only"
        FRAME_OF table2
        MMUEXT PIN_L2, rax
        EXPECT rax, 0, "an L2 is pinned"
        FRAME_OF table3
        MMUEXT PIN_L3, rax
        EXPECT rax, 0, "an L3 is pinned"
        FRAME_OF table4
        MMUEXT PIN_L4, rax
        EXPECT rax, 0, "an L4 is pinned"

        ; It is a root: the kernel goes on, and sees what it maps at address 0.
        mov dword [data], 0x600D
        FRAME_OF table4
        MMUEXT NEW_BASEPTR, rax
        EXPECT rax, 0, "the new root is taken"
        xor eax, eax
        EXPECT32 [rax], 0x600D, "address 0 is mapped by it"
        mov rbx, cr3
        FRAME_OF table4
        shl rax, 12
        EXPECT rbx, rax, "CR3 shows it"
        FRAME_OF table4
        MMUEXT UNPIN, rax
        EXPECT rax, 0, "it may be unpinned in use"
        PAGE_FLAGS table4, WRITABLE_PAGE
        test rax, rax
        EXPECT_FLAG s, "but stays a table while it is the root"
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        MMUEXT NEW_BASEPTR, rax
        EXPECT rax, 0, "the first root is taken back"
        PAGE_FLAGS table4, WRITABLE_PAGE
        EXPECT rax, 0, "now it is a page again"
        mov dword [table4], 0
        FRAME_OF table3
        MMUEXT UNPIN, rax
        EXPECT rax, 0, "the L3 is unpinned"
        FRAME_OF table2
        MMUEXT UNPIN, rax
        EXPECT rax, 0, "the L2 is unpinned"
        FRAME_OF table1
        MMUEXT UNPIN, rax
        EXPECT rax, 0, "the L1 is unpinned"
        FRAME_OF table1
        MMUEXT UNPIN, rax
        EXPECT rax, EINVAL, "what is not pinned is not unpinned"
        PAGE_FLAGS table3, WRITABLE_PAGE
        EXPECT rax, 0, "the L3 is a page again"
        PAGE_FLAGS table2, WRITABLE_PAGE
        EXPECT rax, 0, "the L2 is a page again"
        PAGE_FLAGS table1, WRITABLE_PAGE
        EXPECT rax, 0, "the L1 is a page again"

        ; Bad contents.
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov [table1 + 8], rax
        PAGE_FLAGS table1, READ_ONLY_PAGE
        EXPECT rax, 0, "the bad L1 is made read-only"
        FRAME_OF table1
        MMUEXT PIN_L1, rax
        test rax, rax
        EXPECT_FLAG s, "an L1 that maps the root writable is refused"
        PAGE_FLAGS table1, WRITABLE_PAGE
        EXPECT rax, 0, "and stays a page"
        FRAME_OF table1
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov [table1 + 8], rax
        PAGE_FLAGS table1, READ_ONLY_PAGE
        FRAME_OF table1
        MMUEXT PIN_L1, rax
        test rax, rax
        EXPECT_FLAG s, "a table that maps itself writable is refused"
        PAGE_FLAGS table1, WRITABLE_PAGE
        EXPECT rax, 0, "and stays a page too"
        mov qword [table1 + 8], 0

        FRAME_OF data
        MMUEXT NEW_BASEPTR, rax
        test rax, rax
        EXPECT_FLAG s, "a page of data is no root"
        mov rax, 0x123456789
        MMUEXT PIN_L1, rax
        EXPECT rax, EINVAL, "a frame beyond memory is no table"
        MMUEXT NEW_USER_BASEPTR, 0
        EXPECT rax, 0, "user mode may have no root"

        ; Pages.
        mov dword [data + 4092], 0x1234
        FRAME_OF data
        MMUEXT CLEAR_PAGE, rax
        EXPECT rax, 0, "a page is cleared"
        EXPECT32 [data + 4092], 0, "to its end"
        EXPECT32 [data], 0, "from its start"
        mov dword [table1], 0x1111
        mov dword [table1 + 4092], 0x9999
        FRAME_OF table1
        mov rbx, rax
        FRAME_OF data
        MMUEXT COPY_PAGE, rax, rbx
        EXPECT rax, 0, "a page is copied"
        EXPECT32 [data], 0x1111, "from its start, here"
        EXPECT32 [data + 4092], 0x9999, "to its end, here"
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        MMUEXT CLEAR_PAGE, rax
        test rax, rax
        EXPECT_FLAG s, "a page table is not cleared"

        ; Flushes.
        mov qword [processors], 1
        MMUEXT TLB_FLUSH_LOCAL
        EXPECT rax, 0, "flush, here"
        MMUEXT INVLPG_LOCAL, data
        EXPECT rax, 0, "INVLPG, here"
        MMUEXT TLB_FLUSH_MULTI, 0, processors
        EXPECT rax, 0, "flush, on a set of vCPUs"
        MMUEXT INVLPG_MULTI, data, processors
        EXPECT rax, 0, "INVLPG, on a set of vCPUs"
        MMUEXT TLB_FLUSH_ALL
        EXPECT rax, 0, "flush, everywhere"
        MMUEXT INVLPG_ALL, data
        EXPECT rax, 0, "INVLPG, everywhere"
        MMUEXT FLUSH_CACHE
        cmp qword [is_privileged], 0
        jne .numbers
        test rax, rax
        EXPECT_FLAG s, "a domain without devices does not flush caches"
.numbers:
        MMUEXT 99
        EXPECT rax, ENOSYS, "there is no 99th operation"
        HYPERCALL MMUEXT_OP, 0x1000, 1, 0, DOMID_SELF
        EXPECT rax, EFAULT, "an operation that is nowhere is refused"
        HYPERCALL MMUEXT_OP, mmuext_op, 1, 0, 0x1234
        test rax, rax
        EXPECT_FLAG s, "there is no domain 1234h"

        ; The count: two good ones, then a bad one.
        mov qword [mmu_done], 0
        HYPERCALL MMUEXT_OP, batch, 4, mmu_done, DOMID_SELF
        EXPECT rax, ENOSYS, "a batch stops at a bad operation"
        EXPECT32 [mmu_done], 2, "after two"
        ret

section .data
align 8
batch:  dq TLB_FLUSH_LOCAL, 0, 0, INVLPG_LOCAL, 0, 0, 99, 0, 0, TLB_FLUSH_LOCAL, 0, 0
section .bss
alignb 4096
table1: resb 4096
table2: resb 4096
table3: resb 4096
table4: resb 4096
data:   resb 4096
processors: resq 1
