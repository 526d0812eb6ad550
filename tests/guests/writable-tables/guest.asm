; SPDX-License-Identifier: MIT
; With the assist writable_pagetables the kernel writes its read-only tables by ordinary instructions, and each is carried
; out as if the table were writable; what mmu_update would refuse faults.

%include "runtime.inc"
%include "memory.inc"

main:
        mov rdi, page
        call entry_of
        mov rbx, rax
        mov rbp, [rax]
        ; Xen carries out the writes of a Domain-0 in any case.
        cmp qword [is_privileged], 0
        jne .enable
        EXPECT_TRAP 14, "without the assist a write to a table faults", mov [rbx], rbp
.enable:
        HYPERCALL VM_ASSIST, VMASST_ENABLE, ASSIST_WRITABLE_TABLES
        EXPECT rax, 0, "the assist is turned on"
        and rbp, ~(ACCESSED | DIRTY)            ; which the processor may set at any time
        mov r12, rbp
        and r12, ~RW

        EXPECT_TRAP NO_TRAP, "MOV is carried out", mov [rbx], r12
        call .read_only
        EXPECT_TRAP NO_TRAP, "MOV is carried out again", mov [rbx], rbp
        call .writable

        mov r9, r12
        EXPECT_TRAP NO_TRAP, "XCHG is carried out", xchg [rbx], r9
        and r9, ~(ACCESSED | DIRTY)
        EXPECT r9, rbp, "XCHG gives the old entry"
        call .read_only
        EXPECT_TRAP NO_TRAP, "LOCK OR is carried out", lock or byte [rbx], RW
        call .writable
        EXPECT_TRAP NO_TRAP, "LOCK AND of a byte is carried out", lock and byte [rbx], ~RW & 0xFF
        call .read_only
        TRY_BEGIN
        lock bts qword [rbx], 1
        setc [flag]
        TRY_END
        EXPECT [trap_vector], NO_TRAP, "LOCK BTS is carried out"
        EXPECT8 [flag], 0, "BTS gives the old bit"
        call .writable
        TRY_BEGIN
        lock btr qword [rbx], 1
        setc [flag]
        TRY_END
        EXPECT [trap_vector], NO_TRAP, "LOCK BTR is carried out"
        EXPECT8 [flag], 1, "BTR gives the old bit"
        call .read_only

        mov rax, [rbx]
        mov r9, rbp
        TRY_BEGIN
        lock cmpxchg [rbx], r9
        sete [flag]
        TRY_END
        EXPECT [trap_vector], NO_TRAP, "LOCK CMPXCHG is carried out"
        EXPECT8 [flag], 1, "CMPXCHG finds what it expects"
        call .writable
        mov rax, 0x5555
        mov r9, r12
        TRY_BEGIN
        lock cmpxchg [rbx], r9
        sete [flag]
        TRY_END
        EXPECT [trap_vector], NO_TRAP, "a CMPXCHG that finds something else is carried out"
        EXPECT8 [flag], 0, "it says so"
        and rax, ~(ACCESSED | DIRTY)
        EXPECT rax, rbp, "and gives what it found"
        call .writable
        EXPECT_TRAP NO_TRAP, "an immediate is stored", mov qword [rbx], 0
        EXPECT [rbx], 0, "the entry is empty"
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        EXPECT_TRAP 14, "nothing is mapped", mov eax, [page]
        EXPECT_TRAP NO_TRAP, "the entry is filled again", mov [rbx], rbp
        call .writable

        ; Addressing and prefixes.
        mov rcx, rbx
        shr rcx, 3
        mov r9d, 8
        EXPECT_TRAP NO_TRAP, "any way of addressing will do", mov [rcx * 8 + 0], r12
        call .read_only
        mov rdi, rbx
        mov rax, rbp
        EXPECT_TRAP NO_TRAP, "STOSQ is carried out", stosq
        lea rcx, [rbx + 8]
        EXPECT rdi, rcx, "STOSQ moves its pointer"
        call .writable

        ; Refused.
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov r9, rax
        EXPECT_TRAP 14, "a table that is mapped writable faults", mov [rbx], r9
        EXPECT [trap_error], 3, "as a write to a read-only page"
        EXPECT [trap_cr2], rbx, "at the entry"
        call .writable
        PAGE_FLAGS other, READ_ONLY_PAGE
        EXPECT rax, 0, "another page is made read-only"
        EXPECT_TRAP 14, "a page that is no table stays read-only", mov [other], rax
        mov r9, [start_info]
        mov r9, [r9 + SI_PT_BASE]
        mov rax, [r9 + 8]
        EXPECT_TRAP 14, "a root is not written this way", mov [r9 + 8], rax

        HYPERCALL VM_ASSIST, VMASST_DISABLE, ASSIST_WRITABLE_TABLES
        EXPECT rax, 0, "the assist is turned off"
        cmp qword [is_privileged], 0
        jne .done
        EXPECT_TRAP 14, "then a write to a table faults", mov [rbx], rbp
.done:  ret

.read_only:
        mov rax, [rbx]
        and rax, ~(ACCESSED | DIRTY)
        EXPECT rax, r12, "the entry is read-only"
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        EXPECT_TRAP 14, "writing to the page faults", mov [page], eax
        ret
.writable:
        mov rax, [rbx]
        and rax, ~(ACCESSED | DIRTY)
        EXPECT rax, rbp, "the entry is writable"
        HYPERCALL MMUEXT_OP, flush_page, 1, 0, DOMID_SELF
        EXPECT_TRAP NO_TRAP, "writing to the page works", mov [page], eax
        ret

section .data
align 8
flush_page:     dq INVLPG_LOCAL, page, 0
section .bss
alignb 4096
page:   resb 4096
other:  resb 4096
flag:   resb 8
