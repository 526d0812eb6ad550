; SPDX-License-Identifier: MIT
; Long hypercalls give way: a timer that expires within one brings its upcall before the call ends, and the call is made
; again afterwards and finished. For each kind of long call the line `BENCH n timer late within call` tells the longest time, in nanoseconds,
; that the upcall came after the deadline. The promise is that it came within the call, and no later than the bound on the
; command line says, decimal, if there is one.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "clock.inc"
%include "late.inc"

UPDATES         equ 8192
CALLS           equ 4096
COPIES          equ 1024
PAGES           equ 4096
TABLES          equ 32
EXTENTS         equ 4
EXTENT_ORDER    equ 9
EXTENT_PAGES    equ 1 << EXTENT_ORDER
CLEARS          equ 1024
GRANTS          equ 512
REFERENCE       equ 20
EXCHANGE        equ 11

main:   call late_start
        ; One entry, changed again and again.
        mov rdi, page
        call entry_of
        mov rcx, [rax]
        xor ebx, ebx
.update:
        mov eax, ebx
        shl eax, 4
        mov [updates + rax], rdx
        mov [updates + rax + 8], rcx
        xor ecx, RW
        inc ebx
        cmp ebx, UPDATES
        jb .update
        MEASURE "mmu_update of 8192", updates_call

        FRAME_OF page
        shl rax, 12
        or rax, WRITABLE_PAGE
        xor ebx, ebx
.entry: mov ecx, ebx
        shl ecx, 6
        mov qword [calls + rcx], UPDATE_VA_MAPPING
        mov qword [calls + rcx + 16], page
        mov [calls + rcx + 24], rax
        mov qword [calls + rcx + 32], UVMF_INVLPG
        inc ebx
        cmp ebx, CALLS
        jb .entry
        MEASURE "multicall of 4096", multicall_call

        FRAME_OF page
        mov rbp, rax
        FRAME_OF other
        xor ebx, ebx
.copy:  imul ecx, ebx, 40
        mov [copies + rcx], rbp
        mov dword [copies + rcx + 8], DOMID_SELF
        mov [copies + rcx + 16], rax
        mov dword [copies + rcx + 24], DOMID_SELF
        mov dword [copies + rcx + 32], 4096
        inc ebx
        cmp ebx, COPIES
        jb .copy
        MEASURE "grant copy of 1024 pages", copies_call
        xor ebx, ebx
.status:
        imul ecx, ebx, 40
        movsx eax, word [copies + rcx + 36]
        EXPECT rax, 0, "each page is copied"
        inc ebx
        cmp ebx, COPIES
        jb .status

        call measure_clears
        call measure_grants

        ; The last pages of the guest, which nothing maps.
        mov rbx, [start_info]
        mov rsi, [rbx + SI_NR_PAGES]
        sub rsi, PAGES
        mov [first_page], rsi
        mov rbx, [rbx + SI_MFN_LIST]
        lea rsi, [rbx + rsi * 8]
        mov rdi, extents
        mov ecx, PAGES
        rep movsq
        mov qword [reservation], extents
        mov qword [reservation + 8], PAGES
        mov qword [reservation + 24], DOMID_SELF
        MEASURE "decrease_reservation of 4096", decrease_call
        call take_back
        MEASURE "populate_physmap of 4096", populate_call
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, reservation
        REQUIRE rax, PAGES, "pages given back"
        mov qword [reservation + 8], EXTENTS
        mov dword [reservation + 16], EXTENT_ORDER
        call number_pages
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, reservation
        REQUIRE rax, EXTENTS, "extents to be exchanged"
        call measure_exchange
        MEASURE "populate_physmap of 4 times 512", extents_call
        MEASURE "decrease_reservation of 4 times 512", give_back_call

        ; A level-2 table with full tables below.
        FRAME_OF page
        shl rax, 12
        or rax, READ_ONLY_PAGE
        mov rdi, tables
        mov ecx, TABLES * 512
        rep stosq
        xor ebx, ebx
.table: mov rdi, rbx
        shl rdi, 12
        add rdi, tables
        mov rbp, rdi
        call frame_of
        shl rax, 12
        or rax, TABLE_PAGE
        mov [root + rbx * 8], rax
        PAGE_FLAGS rbp, READ_ONLY_PAGE
        REQUIRE rax, 0, "a read-only page"
        inc ebx
        cmp ebx, TABLES
        jb .table
        PAGE_FLAGS root, READ_ONLY_PAGE
        REQUIRE rax, 0, "a read-only root"
        FRAME_OF root
        mov [root_frame], rax
        mov [pin_op + 8], rax
        MEASURE "pin of 32 full tables", pin_call
        ret                                     ; an unpin ends at once; what it leaves to do is done outside the call

measure_clears:
        FRAME_OF other
        xor ebx, ebx
.clear: imul ecx, ebx, 24
        mov qword [clears + rcx], CLEAR_PAGE
        mov [clears + rcx + 8], rax
        inc ebx
        cmp ebx, CLEARS
        jb .clear
        MEASURE "mmuext_op of 1024 cleared pages", clears_call
        ret

; One page, granted to oneself, mapped in as many places as a table has.
measure_grants:
        mov dword [setup], DOMID_SELF
        mov dword [setup + 4], 1
        mov qword [setup + 16], table_frame
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_SETUP, setup, 1
        REQUIRE rax, 0, "a grant table"
        mov rsi, [table_frame]
        shl rsi, 12
        or rsi, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, grant_table, rsi, UVMF_INVLPG
        REQUIRE rax, 0, "is mapped"
        call own_domain
        mov [grant_table + REFERENCE * 8 + 2], ax
        mov [granter], eax
        FRAME_OF page
        mov [grant_table + REFERENCE * 8 + 4], eax
        mov word [grant_table + REFERENCE * 8], GTF_PERMIT_ACCESS
        MEASURE "grant map of 512", map_call
        MEASURE "grant unmap of 512", unmap_call
        ret

; Pages for extents and extents for pages: what was got in one round is given in the next.
measure_exchange:
        mov dword [exchange + 24], DOMID_SELF
        mov dword [exchange + 56], DOMID_SELF
        shl qword [bound], 2                    ; an extent is exchanged as a whole or not at all
        MEASURE "exchange of 2048 pages for 4 extents", together_call
        MEASURE "exchange of 4 extents for 2048 pages", apart_call
        shr qword [bound], 2
        call pages_to_extents
        HYPERCALL MEMORY_OP, EXCHANGE, exchange
        REQUIRE rax, 0, "pages for extents"
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, reservation
        REQUIRE rax, EXTENTS, "extents given back"
        ret
together_call:
        call list_pages
        call pages_to_extents
        REQUEST MEMORY_OP, EXCHANGE, exchange
        ret
apart_call:
        cmp r12d, ROUNDS
        je .ready
        call pages_to_extents
        HYPERCALL MEMORY_OP, EXCHANGE, exchange
        REQUIRE rax, 0, "pages for extents"
.ready: mov qword [exchange], extents
        mov qword [exchange + 8], EXTENTS
        mov dword [exchange + 16], EXTENT_ORDER
        mov qword [exchange + 32], singles
        mov qword [exchange + 40], EXTENTS * EXTENT_PAGES
        mov dword [exchange + 48], 0
        mov qword [exchange + 64], 0
        mov rax, [first_page]
        mov rdi, singles
        mov ecx, EXTENTS * EXTENT_PAGES
.page:  stosq
        inc rax
        dec ecx
        jnz .page
        REQUEST MEMORY_OP, EXCHANGE, exchange
        ret
list_pages:                                     ; of the extents
        xor ebx, ebx
        mov rdi, singles
.extent:
        mov rax, [extents + rbx * 8]
        mov ecx, EXTENT_PAGES
.page:  stosq
        inc rax
        dec ecx
        jnz .page
        inc ebx
        cmp ebx, EXTENTS
        jb .extent
        ret
pages_to_extents:
        mov qword [exchange], singles
        mov qword [exchange + 8], EXTENTS * EXTENT_PAGES
        mov dword [exchange + 16], 0
        mov qword [exchange + 32], extents
        mov qword [exchange + 40], EXTENTS
        mov dword [exchange + 48], EXTENT_ORDER
        mov qword [exchange + 64], 0
        jmp number_pages

clears_call:
        REQUEST MMUEXT_OP, clears, CLEARS, 0, DOMID_SELF
        ret
map_call:
        cmp r12d, ROUNDS
        je .ready
        call unmap_all
.ready: call map_requests
        REQUEST GRANT_TABLE_OP, GNTTABOP_MAP, maps, GRANTS
        ret
unmap_call:
        cmp r12d, ROUNDS
        je .ready                               ; those of the last round of mapping
        call map_requests
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_MAP, maps, GRANTS
        REQUIRE rax, 0, "grants are mapped"
.ready: call unmap_requests
        REQUEST GRANT_TABLE_OP, GNTTABOP_UNMAP, unmaps, GRANTS
        ret
unmap_all:
        call unmap_requests
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_UNMAP, unmaps, GRANTS
        REQUIRE rax, 0, "grants are unmapped"
        ret
map_requests:
        xor ebx, ebx
.one:   mov ecx, ebx
        shl ecx, 5
        mov rax, rbx
        shl rax, 12
        add rax, window
        mov [maps + rcx], rax
        mov dword [maps + rcx + 8], GNTMAP_HOST
        mov dword [maps + rcx + 12], REFERENCE
        mov eax, [granter]
        mov [maps + rcx + 16], ax
        inc ebx
        cmp ebx, GRANTS
        jb .one
        ret
; Each mapping that was made is undone; that it was made is looked at here.
unmap_requests:
        xor ebx, ebx
.one:   mov ecx, ebx
        shl ecx, 5
        movsx rax, word [maps + rcx + 18]
        EXPECT rax, 0, "a grant is mapped"
        mov rax, [maps + rcx]
        mov edx, [maps + rcx + 20]
        imul ecx, ebx, 24
        mov [unmaps + rcx], rax
        mov qword [unmaps + rcx + 8], 0
        mov [unmaps + rcx + 16], edx
        inc ebx
        cmp ebx, GRANTS
        jb .one
        ret

updates_call:
        REQUEST MMU_UPDATE, updates, UPDATES, 0, DOMID_SELF
        ret
multicall_call:
        REQUEST MULTICALL, calls, CALLS
        ret
copies_call:
        REQUEST GRANT_TABLE_OP, GNTTABOP_COPY, copies, COPIES
        ret
decrease_call:
        cmp r12d, ROUNDS
        je .ready
        call take_back
.ready: REQUEST MEMORY_OP, DECREASE_RESERVATION, reservation, 0, 0, PAGES
        ret
populate_call:
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, reservation
        REQUIRE rax, PAGES, "pages given back"
        call number_pages
        REQUEST MEMORY_OP, POPULATE_PHYSMAP, reservation, 0, 0, PAGES
        ret
extents_call:
        cmp r12d, ROUNDS
        je .ready
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, reservation
        REQUIRE rax, EXTENTS, "extents given back"
.ready: call number_pages
        REQUEST MEMORY_OP, POPULATE_PHYSMAP, reservation, 0, 0, EXTENTS
        ret
give_back_call:
        cmp r12d, ROUNDS
        je .ready
        call number_pages
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, reservation
        REQUIRE rax, EXTENTS, "extents taken"
.ready: REQUEST MEMORY_OP, DECREASE_RESERVATION, reservation, 0, 0, EXTENTS
        ret
pin_call:
        cmp r12d, ROUNDS
        je .ready
        MMUEXT UNPIN, [root_frame]
        REQUIRE rax, 0, "unpinned"
.ready: REQUEST MMUEXT_OP, pin_op, 1, 0, DOMID_SELF
        ret

take_back:
        call number_pages
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, reservation
        REQUIRE rax, PAGES, "pages taken"
        ret
number_pages:
        mov rax, [first_page]
        xor ecx, ecx
.page:  mov [extents + rcx * 8], rax
        inc rax
        inc ecx
        cmp ecx, PAGES
        jb .page
        ret

section .data
align 8
pin_op: dq PIN_L2, 0, 0

section .bss
alignb 4096
page:   resb 4096
other:  resb 4096
grant_table: resb 4096
window: resb GRANTS * 4096
root:   resb 4096
tables: resb TABLES * 4096
updates: resb UPDATES * 16
calls:  resb CALLS * 64
copies: resb COPIES * 40
extents: resq PAGES
clears: resb CLEARS * 24
maps:   resb GRANTS * 32
unmaps: resb GRANTS * 24
singles: resq EXTENTS * EXTENT_PAGES
exchange: resq 9
setup:  resq 3
table_frame: resq 1
granter: resd 2
reservation: resq 4
first_page: resq 1
root_frame: resq 1
