; SPDX-License-Identifier: MIT
; Long hypercalls give way: a timer that expires within one brings its upcall before the call ends, and the call is made
; again afterwards and finished. For each kind of long call the line `BENCH n timer late within call` tells the longest time, in nanoseconds,
; that the upcall came after the deadline; the promise itself is only that it came within the call.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "clock.inc"

ROUNDS          equ 24
UPDATES         equ 8192
CALLS           equ 4096
COPIES          equ 1024
PAGES           equ 4096
TABLES          equ 32
EXTENTS         equ 4
EXTENT_ORDER    equ 9

; MEASURE "name", prepare: prepare sets number, arguments and what the call must answer (r12d: the round, from ROUNDS down).
%macro MEASURE 2
        mov qword [worst], 0
        mov qword [given_way], 0
        mov r12d, ROUNDS
%%again:
        call %2
        call timed_call
        EXPECT rax, [answer], %1, " succeeds, in pieces"
        dec r12d
        jnz %%again
        PRINT "BENCH "
        mov rdi, [worst]
        call print_number
        PRINT " timer late within ", %1, 10
        EXPECT_NOT [given_way], 0, %1, " gives way to a timer"
%endmacro

%macro REQUEST 2-6 0, 0, 0, 0
        mov qword [number], %1
        mov rax, %2
        mov [arguments], rax
        mov rax, %3
        mov [arguments + 8], rax
        mov rax, %4
        mov [arguments + 16], rax
        mov rax, %5
        mov [arguments + 24], rax
        mov qword [answer], %6
%endmacro

main:
        mov dword [callback], CALLBACK_EVENT | CALLBACKF_MASK_EVENTS << 16
        mov qword [callback + 8], upcall
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, callback
        REQUIRE rax, 0, "the upcall"
        mov dword [event_op], VIRQ_TIMER
        mov dword [event_op + 4], 0
        HYPERCALL EVENT_CHANNEL_OP, BIND_VIRQ, event_op
        REQUIRE rax, 0, "the timer's VIRQ"
        HYPERCALL VCPU_OP, VCPUOP_STOP_PERIODIC, 0, 0
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq

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

; Makes the call with a timer that expires within it, each round somewhat later.
timed_call:
        call system_time
        imul ecx, r12d, 20000
        lea rax, [rax + rcx + 40000]
        mov [deadline], rax
        HYPERCALL VCPU_OP, VCPUOP_SET_SINGLESHOT, 0, deadline
        REQUIRE rax, 0, "a timer"
        mov rdi, [arguments]
        mov rsi, [arguments + 8]
        mov rdx, [arguments + 16]
        mov r10, [arguments + 24]
        mov eax, [number]
        mov byte [shared_info + VI_MASK], 0
call_site:
        syscall
        mov byte [shared_info + VI_MASK], 1
        mov rbx, rax
        HYPERCALL VCPU_OP, VCPUOP_STOP_SINGLESHOT, 0, 0
        mov qword [shared_info + SH_PENDING], 0
        mov byte [shared_info + VI_PENDING], 0
        mov rax, rbx
        ret

; The registers are the call's, which will be made again with them.
upcall:
        pop rcx
        pop r11
        push rax
        push rcx
        push rdx
        push rsi
        push rdi
        mov byte [shared_info + VI_PENDING], 0
        mov qword [shared_info + VI_SELECTOR], 0
        mov qword [shared_info + SH_PENDING], 0
        mov rax, call_site
        cmp [rsp + 40], rax                     ; rip
        jne .done
        call system_time
        sub rax, [deadline]
        js .done                                ; before the call began
        inc qword [given_way]
        cmp rax, [worst]
        jbe .done
        mov [worst], rax
.done:  pop rdi
        pop rsi
        pop rdx
        pop rcx
        pop rax
        jmp return_from_trap

section .data
align 8
pin_op: dq PIN_L2, 0, 0

section .bss
alignb 4096
page:   resb 4096
other:  resb 4096
root:   resb 4096
tables: resb TABLES * 4096
updates: resb UPDATES * 16
calls:  resb CALLS * 64
copies: resb COPIES * 40
extents: resq PAGES
reservation: resq 4
number: resq 1
arguments: resq 4
answer: resq 1
deadline: resq 2
worst:  resq 1
given_way: resq 1
first_page: resq 1
root_frame: resq 1
