; SPDX-License-Identifier: MIT
; Descriptor tables: set_gdt, update_descriptor, LDT by mmuext_op, and which selectors a guest can load. Nothing that a
; descriptor says gives more than ring 3.

%include "runtime.inc"
%include "memory.inc"

DATA_SEGMENT    equ 0x00CFF3000000FFFF          ; flat data, DPL 3
DATA_RING0      equ 0x00CF93000000FFFF          ; flat data, DPL 0
CODE_RING0      equ 0x00AF9B000000FFFF          ; 64-bit code, DPL 0
TSS             equ 0x0000E90000000067

%macro LOAD_DS 1
        mov eax, %1
        TRY mov ds, eax
%endmacro

main:
        ; The flat selectors are there without a table.
        LOAD_DS FLAT_SS
        EXPECT [trap_vector], NO_TRAP, "the flat data selector loads"
        LOAD_DS 0xE02B
        EXPECT [trap_vector], NO_TRAP, "by its number"
        LOAD_DS 0
        EXPECT [trap_vector], NO_TRAP, "the null selector loads"
        LOAD_DS 0x0B
        EXPECT [trap_vector], 13, "entry 1 of no table does not"

        mov rax, DATA_SEGMENT
        mov [gdt + 8], rax
        mov rax, DATA_RING0
        mov [gdt + 16], rax
        mov qword [gdt + 511 * 8], 0
        PAGE_FLAGS gdt, READ_ONLY_PAGE
        EXPECT rax, 0, "the table's page is made read-only"
        FRAME_OF gdt
        mov [frames], rax
        HYPERCALL SET_GDT, frames, 512
        EXPECT rax, 0, "set_gdt takes a page"
        LOAD_DS 0x0B
        EXPECT [trap_vector], NO_TRAP, "entry 1 loads now"
        LOAD_DS 0x13
        EXPECT [trap_vector], NO_TRAP, "entry 2, of ring 0, was raised to ring 3"
        mov rax, [gdt + 16]
        shr rax, 45
        and eax, 3
        EXPECT rax, 3, "which the table shows"
        LOAD_DS 0x1B
        EXPECT [trap_vector], 13, "an empty entry does not load"
        EXPECT [trap_error], 0x18, "the error code names it"
        LOAD_DS 0x100B
        EXPECT [trap_vector], 13, "an entry behind the table does not load"
        LOAD_DS FLAT_SS
        EXPECT [trap_vector], NO_TRAP, "the flat selectors stay"
        PAGE_FLAGS gdt, WRITABLE_PAGE
        test rax, rax
        EXPECT_FLAG s, "a table in use cannot be mapped writable"

        ; update_descriptor
        FRAME_OF gdt
        shl rax, 12
        lea rbx, [rax + 3 * 8]
        mov rbp, DATA_SEGMENT
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rbp
        EXPECT rax, 0, "a descriptor is written"
        LOAD_DS 0x1B
        EXPECT [trap_vector], NO_TRAP, "and loads"
        mov rbp, TSS
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rbp
        EXPECT rax, EINVAL, "a task segment is refused"
        mov rax, DATA_SEGMENT
        mov rcx, [gdt + 24]
        bts rcx, 40                             ; accessed
        bts rax, 40
        EXPECT rcx, rax, "the old descriptor stays"
        mov rbp, CODE_RING0
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rbp
        test rax, rax
        jnz .code_refused
        mov rax, [gdt + 24]
        shr rax, 45
        and eax, 3
        EXPECT rax, 3, "code of ring 0 is raised to ring 3"
.code_refused:
        HYPERCALL UPDATE_DESCRIPTOR, rbx, 0
        EXPECT rax, 0, "a descriptor is cleared"
        LOAD_DS 0x1B
        EXPECT [trap_vector], 13, "and does not load"
        mov rbp, DATA_SEGMENT
        HYPERCALL UPDATE_DESCRIPTOR, 0x1000, rbp
        test rax, rax
        EXPECT_FLAG s, "no descriptor goes to a frame of someone else"
        FRAME_OF plain
        shl rax, 12
        mov rbx, rax
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rbp
        EXPECT rax, 0, "an ordinary page is written like memory"
        EXPECT [plain], rbp, "and holds the descriptor"

        ; Bad tables.
        mov rax, TSS
        mov [plain], rax
        PAGE_FLAGS plain, READ_ONLY_PAGE
        FRAME_OF plain
        mov [frames], rax
        HYPERCALL SET_GDT, frames, 512
        EXPECT rax, EINVAL, "a table with a task segment is refused"
        FRAME_OF gdt
        mov [frames], rax
        HYPERCALL SET_GDT, frames, 14 * 512 + 1
        EXPECT rax, EINVAL, "a table that covers the reserved selectors is refused"
        LOAD_DS 0x0B
        EXPECT [trap_vector], NO_TRAP, "the old table is still there"
        HYPERCALL SET_GDT, frames, 0
        EXPECT rax, 0, "the table is taken away"
        LOAD_DS 0x0B
        EXPECT [trap_vector], 13, "its entries are gone"
        PAGE_FLAGS gdt, WRITABLE_PAGE
        EXPECT rax, 0, "and its page is a page again"

        ; The local table, seen by its address.
        PAGE_FLAGS plain, WRITABLE_PAGE
        mov rax, DATA_SEGMENT
        mov [plain], rax
        PAGE_FLAGS plain, READ_ONLY_PAGE
        EXPECT rax, 0, "the local table's page is made read-only"
        MMUEXT SET_LDT, plain, 512
        EXPECT rax, 0, "a local table is taken"
        LOAD_DS 7
        EXPECT [trap_vector], NO_TRAP, "its first entry loads"
        LOAD_DS 15
        EXPECT [trap_vector], 13, "an empty one does not"
        MMUEXT SET_LDT, plain, 8193
        EXPECT rax, EINVAL, "a local table has 8,192 entries at most"
        MMUEXT SET_LDT, plain + 1, 4
        EXPECT rax, EINVAL, "and begins with a page"
        MMUEXT SET_LDT, 0, 0
        EXPECT rax, 0, "the local table is taken away"
        LOAD_DS 7
        EXPECT [trap_vector], 13, "its entries are gone"
        PAGE_FLAGS plain, WRITABLE_PAGE
        EXPECT rax, 0, "and its page is a page again, without the table"
        LOAD_DS 0
        ret

section .bss
alignb 4096
gdt:    resb 4096
plain:  resb 4096
frames: resq 14
