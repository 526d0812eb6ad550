; SPDX-License-Identifier: MIT
; Grant tables, version 1, of a domain that grants to itself: setup, copying by frame and by reference, mapping, unmapping,
; and what is refused.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"

%macro GRANT 2                                  ; operation, argument
        HYPERCALL GRANT_TABLE_OP, %1, %2, 1
        EXPECT rax, 0, "the call itself succeeds"
%endmacro
%macro STATUS 2+                                ; wanted, "promise"
        movsx rax, word [copy + 36]
        EXPECT rax, %1, %2
%endmacro
; ENTRY reference, flags, domain, page
%macro GRANT_ENTRY 4
        FRAME_OF %4
        mov [table + %1 * 8 + 4], eax
        mov eax, %3
        mov [table + %1 * 8 + 2], ax
        mov word [table + %1 * 8], %2
%endmacro

OKAY            equ 0
BAD_DOMAIN      equ -2
BAD_GNTREF      equ -3
BAD_HANDLE      equ -4
BAD_COPY_ARG    equ -10
REFERENCE       equ 20

main:
        mov dword [size], DOMID_SELF
        GRANT GNTTABOP_QUERY_SIZE, size
        movsx rax, word [size + 12]
        EXPECT rax, OKAY, "the size is told"
        EXPECT_NOT [size + 8], 0, "there may be frames"
        mov dword [version], 1
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_SET_VERSION, version, 1
        EXPECT rax, 0, "version 1 can be had"
        mov dword [setup], DOMID_SELF
        mov dword [setup + 4], 1
        mov qword [setup + 16], frame
        GRANT GNTTABOP_SETUP, setup
        movsx rax, word [setup + 8]
        EXPECT rax, OKAY, "a frame of the table is given"
        mov rsi, [frame]
        shl rsi, 12
        or rsi, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, table, rsi, UVMF_INVLPG
        EXPECT rax, 0, "and can be mapped"
        EXPECT [table + REFERENCE * 8], 0, "its entries are empty"
        call own_domain
        mov r12d, eax

        ; Copy between frames of one's own.
        mov rax, 0x1122334455667788
        mov [source + 0x100], rax
        mov qword [target + 0x200], 0
        mov qword [target + 0x208], 0x5555
        FRAME_OF source
        mov [copy], rax
        mov word [copy + 8], DOMID_SELF
        mov word [copy + 10], 0x100
        FRAME_OF target
        mov [copy + 16], rax
        mov word [copy + 24], DOMID_SELF
        mov word [copy + 26], 0x200
        mov word [copy + 32], 8
        mov word [copy + 34], 0
        GRANT GNTTABOP_COPY, copy
        STATUS OKAY, "a copy between own frames succeeds"
        mov rax, 0x1122334455667788
        EXPECT [target + 0x200], rax, "the bytes are there"
        EXPECT [target + 0x208], 0x5555, "and no more"
        mov word [copy + 32], 4096
        GRANT GNTTABOP_COPY, copy
        STATUS BAD_COPY_ARG, "a copy across a page's end is refused"

        ; From a reference, to a reference.
        GRANT_ENTRY REFERENCE, GTF_PERMIT_ACCESS | GTF_READONLY, r12d, source
        mov qword [copy], REFERENCE
        mov [copy + 8], r12w
        mov word [copy + 34], GNTCOPY_SOURCE_GREF
        mov word [copy + 32], 8
        mov qword [target + 0x200], 0
        GRANT GNTTABOP_COPY, copy
        STATUS OKAY, "a copy from a reference succeeds"
        mov rax, 0x1122334455667788
        EXPECT [target + 0x200], rax, "the bytes are there"
        mov ax, [table + REFERENCE * 8]
        movzx eax, ax
        EXPECT rax, GTF_PERMIT_ACCESS | GTF_READONLY, "the entry is not in use afterwards"

        FRAME_OF target
        mov [copy], rax
        mov word [copy + 8], DOMID_SELF
        mov word [copy + 10], 0x208
        mov qword [copy + 16], REFERENCE
        mov [copy + 24], r12w
        mov word [copy + 26], 0x100
        mov word [copy + 34], GNTCOPY_DEST_GREF
        GRANT GNTTABOP_COPY, copy
        movsx rax, word [copy + 36]
        test rax, rax
        EXPECT_FLAG s, "a copy to a read-only reference is refused"
        mov rax, 0x1122334455667788
        EXPECT [source + 0x100], rax, "and does nothing"
        mov word [table + REFERENCE * 8], GTF_PERMIT_ACCESS
        GRANT GNTTABOP_COPY, copy
        STATUS OKAY, "a copy to a writable reference succeeds"
        EXPECT [source + 0x100], 0x5555, "the bytes are there, by reference"

        mov qword [copy + 16], REFERENCE + 1
        GRANT GNTTABOP_COPY, copy
        movsx rax, word [copy + 36]
        test rax, rax
        EXPECT_FLAG s, "an empty entry grants nothing"
        mov qword [copy + 16], 100000
        GRANT GNTTABOP_COPY, copy
        STATUS BAD_GNTREF, "there is no such reference"
        mov qword [copy + 16], REFERENCE
        mov word [copy + 24], 0x1234
        GRANT GNTTABOP_COPY, copy
        STATUS BAD_DOMAIN, "there is no domain 1234h"
        mov [copy + 24], r12w
        mov rax, 0x123456789
        mov [copy], rax
        GRANT GNTTABOP_COPY, copy
        movsx rax, word [copy + 36]
        test rax, rax
        EXPECT_FLAG s, "a frame beyond memory is not read"
        FRAME_OF target
        mov [copy], rax
        mov eax, r12d
        xor eax, 1
        mov [table + REFERENCE * 8 + 2], ax
        GRANT GNTTABOP_COPY, copy
        movsx rax, word [copy + 36]
        test rax, rax
        EXPECT_FLAG s, "what is granted to another is not ours"
        mov [table + REFERENCE * 8 + 2], r12w

        ; Mapping one's own grant, by address.
        mov qword [source], 0x600D
        mov qword [map], window
        mov dword [map + 8], GNTMAP_HOST
        mov dword [map + 12], REFERENCE
        mov [map + 16], r12w
        GRANT GNTTABOP_MAP, map
        movsx rax, word [map + 18]
        EXPECT rax, OKAY, "a grant is mapped"
        EXPECT [window], 0x600D, "and seen"
        mov qword [window], 0xCAFE
        EXPECT [source], 0xCAFE, "and written"
        movzx eax, word [table + REFERENCE * 8]
        EXPECT rax, GTF_PERMIT_ACCESS | 0x18, "its entry says that it is read and written"
        FRAME_OF source
        shl rax, 12
        EXPECT [map + 24], rax, "the bus address is the frame's"
        mov ebx, [map + 20]
        mov qword [unmap], window
        mov qword [unmap + 8], 0
        mov [unmap + 16], ebx
        GRANT GNTTABOP_UNMAP, unmap
        movsx rax, word [unmap + 20]
        EXPECT rax, OKAY, "it is unmapped"
        EXPECT_TRAP 14, "nothing is left there", mov rax, [window]
        movzx eax, word [table + REFERENCE * 8]
        EXPECT rax, GTF_PERMIT_ACCESS, "its entry is not in use any more"
        GRANT GNTTABOP_UNMAP, unmap
        movsx rax, word [unmap + 20]
        test rax, rax
        EXPECT_FLAG s, "what is unmapped is not unmapped again"

        ; Read-only, by the entry's address.
        mov rdi, window
        call entry_of
        mov [map], rdx
        mov dword [map + 8], GNTMAP_HOST | GNTMAP_READONLY | GNTMAP_CONTAINS_PTE
        GRANT GNTTABOP_MAP, map
        movsx rax, word [map + 18]
        EXPECT rax, OKAY, "a grant is mapped by its entry"
        EXPECT [window], 0xCAFE, "and seen there"
        EXPECT_TRAP 14, "but not written", mov [window], rax
        mov rax, [map]
        mov [unmap], rax
        mov eax, [map + 20]
        mov [unmap + 16], eax
        GRANT GNTTABOP_UNMAP, unmap
        movsx rax, word [unmap + 20]
        EXPECT rax, OKAY, "it is unmapped by its entry"
        EXPECT_TRAP 14, "and gone", mov rax, [window]

        mov dword [map + 12], REFERENCE + 1
        GRANT GNTTABOP_MAP, map
        movsx rax, word [map + 18]
        test rax, rax
        EXPECT_FLAG s, "an empty entry is not mapped"
        mov dword [map + 12], REFERENCE
        mov word [table + REFERENCE * 8], GTF_PERMIT_ACCESS | GTF_READONLY
        mov dword [map + 8], GNTMAP_HOST | GNTMAP_CONTAINS_PTE
        GRANT GNTTABOP_MAP, map
        movsx rax, word [map + 18]
        test rax, rax
        EXPECT_FLAG s, "a read-only grant is not mapped writable"
        mov dword [unmap + 16], 100000
        GRANT GNTTABOP_UNMAP, unmap
        movsx rax, word [unmap + 20]
        EXPECT rax, BAD_HANDLE, "there is no such mapping"

        HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, copy, 0
        EXPECT rax, 0, "no copies are no error"
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, 0x1000, 1
        EXPECT rax, EFAULT, "a request that is nowhere is refused"
        HYPERCALL GRANT_TABLE_OP, 99, copy, 1
        EXPECT rax, ENOSYS, "there is no 99th operation"
        ret

section .bss
alignb 4096
table:  resb 4096
source: resb 4096
target: resb 4096
window: resb 4096
frame:  resq 1
size:   resq 2
version: resq 1
setup:  resq 3
copy:   resq 5
map:    resq 4
unmap:  resq 3
