; SPDX-License-Identifier: MIT
; A storm of random requests over a pool of pages: mapped, written, pinned as tables of every level, linked into each other,
; used as descriptor tables, granted, mapped by grant, given back and taken anew. Nearly all are refused, which is the
; point; whatever is accepted must be undone completely when all is taken back: then every page can be written again.
; A frame that keeps a type or a reference, or a kernel that lost a page, is a broken promise.
;
; The command line may hold a seed, decimal; a failure prints nothing that depends on anything else.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "random.inc"

%ifndef OPERATIONS
%define OPERATIONS 100000
%endif
POOL            equ 64
SPECIAL         equ 5
GRANTS          equ 32
HANDLES         equ 64

main:
        mov rdi, shared_info + SH_MASK
        mov rax, -1
        mov ecx, 64
        rep stosq

        call random_start
        HYPERCALL VM_ASSIST, VMASST_ENABLE, ASSIST_WRITABLE_TABLES
        call own_domain
        mov [self], rax
        mov dword [setup], DOMID_SELF
        mov dword [setup + 4], 1
        mov qword [setup + 16], grant_frame
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_SETUP, setup, 1
        REQUIRE rax, 0, "a grant table"
        mov rsi, [grant_frame]
        shl rsi, 12
        or rsi, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, grant_table, rsi, UVMF_INVLPG
        REQUIRE rax, 0, "the grant table's page"

        ; The pool's frames, and others that stand in entries but are never written through.
        xor ebx, ebx
.frame: mov rdi, rbx
        shl rdi, 12
        add rdi, pool
        call frame_of
        mov [frames + rbx * 8], rax
        call entry_of
        mov [entries + rbx * 8], rdx
        mov byte [owned + rbx], 1
        inc ebx
        cmp ebx, POOL
        jb .frame
        mov rbx, [start_info]
        FRAME_OF [rbx + SI_PT_BASE]
        mov [special], rax
        mov rbx, [rbx + SI_PT_BASE]
        mov rax, [rbx + 511 * 8]                ; the kernel's third level, and its second
        call .frame_number
        mov [special + 8], rax
        mov r9, M2P_BASE
        mov rax, [r9 + rax * 8]
        shl rax, 12
        add rax, VIRT_BASE
        mov rax, [rax + 510 * 8]
        call .frame_number
        mov [special + 16], rax
        mov rax, 0x123456789
        mov [special + 24], rax
        mov rax, [grant_frame]
        mov [special + 32], rax

        mov r12d, OPERATIONS
.next:  CHOOSE 16
        call [actions + rax * 8]
        dec r12d
        jnz .next
        jmp settle

.frame_number:
        mov rcx, FRAME_MASK
        and rax, rcx
        shr rax, 12
        ret

; A frame of the pool, in rax.
pool_frame:
        CHOOSE POOL
        mov rax, [frames + rax * 8]
        ret

; A value for an entry, in rax. Destroys rcx, rdx.
entry_value:
        CHOOSE 16
        test eax, eax
        jz .done                                ; empty
        cmp eax, 3
        jae .pool
        call random
        xor edx, edx
        mov ecx, SPECIAL
        div ecx
        mov rdx, [special + rdx * 8]
        jmp .flags
.pool:  call pool_frame
        mov rdx, rax
.flags: shl rdx, 12
        call random
        mov ecx, eax
        and ecx, RW | US | ACCESSED | DIRTY
        or ecx, P | US
        shr eax, 8
        test eax, 7
        jnz .usual
        shr eax, 3
        xor ecx, eax                            ; anything
        and ecx, 0xFFF
.usual: or rdx, rcx
        mov rax, rdx
.done:  ret

; A place in a table: the interesting entries come often.
place:  CHOOSE 8
        mov eax, [places + rax * 4]
        ret

; --- What may happen --------------------------------------------------------------------------------------------------

update_map:                                     ; an entry of the kernel's map of the pool
        CHOOSE POOL
        mov rbx, [entries + rax * 8]
        CHOOSE 4
        cmp eax, MMU_M2P
        je .done
        or rbx, rax
        call entry_value
        MMU_WRITE rbx, rax
.done:  ret

update_table:                                   ; an entry in a page of the pool, whatever that is now
        call pool_frame
        mov rbx, rax
        shl rbx, 12
        call place
        lea rbx, [rbx + rax * 8]
        CHOOSE 2
        add eax, eax
        or rbx, rax
        call entry_value
        MMU_WRITE rbx, rax
        ret

map_page:
        CHOOSE POOL
        mov rbx, rax
        shl rbx, 12
        add rbx, pool
        call entry_value
        mov rsi, rax
        CHOOSE 8
        mov edx, eax
        and edx, 7
        cmp edx, 3
        je .done
        cmp edx, 7
        je .done
        HYPERCALL UPDATE_VA_MAPPING, rbx, rsi, rdx
.done:  ret

restore_map:                                    ; as it was at the start, so that the storm does not die down
        CHOOSE POOL
        mov rdi, rax
        mov rsi, [frames + rax * 8]
        shl rdi, 12
        add rdi, pool
        shl rsi, 12
        push rdi
        push rsi
        CHOOSE 2
        pop rsi
        pop rdi
        add eax, eax
        or eax, READ_ONLY_PAGE
        or rsi, rax
        HYPERCALL UPDATE_VA_MAPPING, rdi, rsi, UVMF_INVLPG
        ret

pin:    call pool_frame
        mov rbx, rax
        CHOOSE 4
        mov ebp, eax
        MMUEXT rbp, rbx
        ret

unpin:  call pool_frame
        mov rbx, rax
        MMUEXT UNPIN, rbx
        ret

user_root:
        call pool_frame
        mov rbx, rax
        CHOOSE 4
        test eax, eax
        jnz .frame
        xor ebx, ebx
.frame: MMUEXT NEW_USER_BASEPTR, rbx
        ret

clear_or_copy:
        call pool_frame
        mov rbx, rax
        call pool_frame
        mov rbp, rax
        CHOOSE 4
        test eax, eax
        jz .copy
        MMUEXT CLEAR_PAGE, rbx
        ret
.copy:  MMUEXT COPY_PAGE, rbx, rbp
        ret

flush:  CHOOSE 8
        lea ebp, [rax + TLB_FLUSH_LOCAL]
        cmp ebp, FLUSH_CACHE
        jae .done
        CHOOSE POOL
        shl rax, 12
        add rax, pool
        mov rbx, rax
        MMUEXT rbp, rbx, everyone
.done:  ret

store:                                          ; by the kernel's own hand: it may fault, or be emulated
        CHOOSE POOL
        mov rbx, rax
        shl rbx, 12
        add rbx, pool
        call place
        lea rbx, [rbx + rax * 8]
        call entry_value
        mov rbp, rax
        CHOOSE 8
        lea rdx, [rax * 2 + rax]
        mov rcx, [stores + rax * 8]
        mov r9, rsp
        TRY call rcx
        mov rsp, r9
        ret
.mov:   mov [rbx], rbp
        ret
.xchg:  xchg [rbx], rbp
        ret
.and:   lock and byte [rbx], ~RW & 0xFF
        ret
.or:    lock or byte [rbx], RW
        ret
.bts:   lock bts qword [rbx], 1
        ret
.half:  mov [rbx + 4], ebp
        ret
.cas:   mov rax, [rbx]
        lock cmpxchg [rbx], rbp
        ret
.byte:  mov [rbx + 3], bpl
        ret

descriptors:
        CHOOSE 8
        cmp eax, 2
        jb .remove
        cmp eax, 5
        jb .local
        call pool_frame
        mov [gdt_frames], rax
        call pool_frame
        mov [gdt_frames + 8], rax
        CHOOSE 1024
        mov esi, eax
        HYPERCALL SET_GDT, gdt_frames, rsi
        ret
.local: CHOOSE POOL
        shl rax, 12
        add rax, pool
        mov rbx, rax
        MMUEXT SET_LDT, rbx, 512
        mov eax, 15
        TRY mov ds, eax                         ; looks at the table, which may fault
        xor eax, eax
        mov ds, eax
        ret
.remove:
        HYPERCALL SET_GDT, gdt_frames, 0
        MMUEXT SET_LDT, 0, 0
        ret

descriptor:
        call pool_frame
        mov rbx, rax
        shl rbx, 12
        call place
        lea rbx, [rbx + rax * 8]
        call random
        mov rsi, rax
        shl rsi, 32
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rsi
        ret

grant:                                          ; an entry of the grant table
        call pool_frame
        mov ebx, eax
        CHOOSE GRANTS
        mov [grant_table + 64 + rax * 8 + 4], ebx
        mov ecx, [self]
        mov [grant_table + 64 + rax * 8 + 2], cx
        mov ebx, eax
        CHOOSE 4
        mov eax, [grant_flags + rax * 4]
        mov [grant_table + 64 + rbx * 8], ax
        ret

grant_map:
        CHOOSE HANDLES
        mov ebp, eax
        cmp dword [handles + rbp * 4], -1
        jne .unmap
        CHOOSE POOL
        mov rbx, rax
        shl rbx, 12
        add rbx, pool
        mov [grant_op], rbx
        CHOOSE 8
        or eax, GNTMAP_HOST
        and eax, GNTMAP_HOST | GNTMAP_READONLY
        mov [grant_op + 8], eax
        CHOOSE GRANTS
        add eax, 8
        mov [grant_op + 12], eax
        mov eax, [self]
        mov [grant_op + 16], eax
        mov [addresses + rbp * 8], rbx
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_MAP, grant_op, 1
        cmp word [grant_op + 18], 0
        jne .done
        mov eax, [grant_op + 20]
        mov [handles + rbp * 4], eax
.done:  ret
.unmap: mov rbx, [addresses + rbp * 8]
        mov [grant_op], rbx
        mov qword [grant_op + 8], 0
        mov eax, [handles + rbp * 4]
        mov [grant_op + 16], eax
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_UNMAP, grant_op, 1
        cmp word [grant_op + 20], 0
        jne .done
        mov dword [handles + rbp * 4], -1
        ret

grant_copy:
        CHOOSE GRANTS
        add eax, 8
        mov [grant_op], rax
        mov eax, [self]
        mov [grant_op + 8], eax
        call pool_frame
        mov [grant_op + 16], rax
        mov dword [grant_op + 24], DOMID_SELF
        CHOOSE 2
        jnz .from
        mov rax, [grant_op]
        xchg rax, [grant_op + 16]
        mov [grant_op], rax
        mov rax, [grant_op + 8]
        xchg rax, [grant_op + 24]
        mov [grant_op + 8], rax
        mov dword [grant_op + 32], 64 | GNTCOPY_DEST_GREF << 16
        jmp .go
.from:  mov dword [grant_op + 32], 64 | GNTCOPY_SOURCE_GREF << 16
.go:    HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, grant_op, 1
        ret

exchange_page:                                  ; a page is given back, and another taken in its place
        CHOOSE POOL
        mov ebx, eax
        cmp byte [owned + rbx], 0
        je .take
        mov rax, [frames + rbx * 8]
        mov [extent], rax
        call .request
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, reservation
        cmp eax, 1
        jne .done
        mov byte [owned + rbx], 0
.take:  mov rax, rbx
        shl rax, 12
        add rax, pool - VIRT_BASE
        shr rax, 12
        mov [extent], rax
        call .request
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, reservation
        cmp eax, 1
        jne .done
        mov byte [owned + rbx], 1
        mov rax, [extent]
        mov [frames + rbx * 8], rax
.done:  ret
.request:
        mov qword [reservation], extent
        mov qword [reservation + 8], 1
        mov qword [reservation + 16], 0
        mov qword [reservation + 24], DOMID_SELF
        ret

; --- The calm afterwards ----------------------------------------------------------------------------------------------

settle:
        HYPERCALL SET_GDT, gdt_frames, 0
        EXPECT rax, 0, "the GDT is given up"
        MMUEXT SET_LDT, 0, 0
        EXPECT rax, 0, "the LDT is given up"
        MMUEXT NEW_USER_BASEPTR, 0
        EXPECT rax, 0, "the user root is given up"
        xor ebp, ebp
.handle:
        cmp dword [handles + rbp * 4], -1
        je .next_handle
        mov rbx, [addresses + rbp * 8]
        mov [grant_op], rbx
        mov qword [grant_op + 8], 0
        mov eax, [handles + rbp * 4]
        mov [grant_op + 16], eax
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_UNMAP, grant_op, 1
        EXPECT rax, 0, "unmapping is a call that succeeds"
.next_handle:
        inc ebp
        cmp ebp, HANDLES
        jb .handle
        xor ebp, ebp
.grant: mov word [grant_table + 64 + rbp * 8], 0
        inc ebp
        cmp ebp, GRANTS
        jb .grant

        xor ebp, ebp
.unmap: mov rbx, rbp
        shl rbx, 12
        add rbx, pool
        HYPERCALL UPDATE_VA_MAPPING, rbx, 0, UVMF_INVLPG
        EXPECT rax, 0, "each page of the pool can be unmapped"
        inc ebp
        cmp ebp, POOL
        jb .unmap
        xor ebp, ebp
.unpin: mov rbx, [frames + rbp * 8]
        MMUEXT UNPIN, rbx
        inc ebp
        cmp ebp, POOL
        jb .unpin

        ; Tables of one level may hold each other in a ring, which outlives pins: their entries go, one by one.
        xor ebp, ebp
.ring:  xor r12d, r12d
.entry: mov eax, [used_places + r12 * 4]
        mov rbx, [frames + rbp * 8]
        shl rbx, 12
        lea rbx, [rbx + rax * 8]
        MMU_WRITE rbx, 0
        inc r12d
        cmp r12d, USED_PLACES
        jb .entry
        inc ebp
        cmp ebp, POOL
        jb .ring
        xor ebp, ebp
.map:   cmp byte [owned + rbp], 0
        je .next_map
        mov rbx, rbp
        shl rbx, 12
        add rbx, pool
        mov rsi, [frames + rbp * 8]
        shl rsi, 12
        or rsi, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, rbx, rsi, UVMF_INVLPG
        test rax, rax
        jnz .left
        EXPECT_TRAP NO_TRAP, "each page can be written again", mov [rbx], rbp
        EXPECT [rbx], rbp, "and holds what is written"
.next_map:
        inc ebp
        cmp ebp, POOL
        jb .map
        ret
.left:  mov [failed_call], rax
        EXPECT [failed_call], 0, "each page of the pool can be mapped writable again"
        ret

section .data
align 8
actions:
        dq update_map, update_table, update_table, update_table, map_page, restore_map, pin, pin
        dq unpin, user_root, clear_or_copy, store, descriptors, grant, grant_map, exchange_or_more
stores: dq store.mov, store.xchg, store.and, store.or, store.bts, store.half, store.cas, store.byte
places: dd 0, 1, 2, 256, 271, 510, 511, 3
used_places: dd 0, 1, 2, 3, 4, 5, 6, 7, 256, 271, 510, 511
USED_PLACES equ ($ - used_places) / 4
grant_flags: dd 0, GTF_PERMIT_ACCESS, GTF_PERMIT_ACCESS | GTF_READONLY, GTF_PERMIT_ACCESS
everyone: dq 1
handles: times HANDLES dd -1

section .text
exchange_or_more:
        CHOOSE 4
        jmp [more + rax * 8]

section .data
more:   dq exchange_page, grant_copy, descriptor, flush

section .bss
alignb 4096
grant_table:    resb 4096
alignb 2 << 20
pool:           resb POOL * 4096
frames:         resq POOL
entries:        resq POOL
owned:          resb POOL
special:        resq SPECIAL
addresses:      resq HANDLES
gdt_frames:     resq 14
setup:          resq 3
grant_frame:    resq 1
grant_op:       resq 5
reservation:    resq 4
extent:         resq 1
self:           resq 1
failed_call:    resq 1
