; SPDX-License-Identifier: MIT
; update_va_mapping: an entry is changed by its address, with each way of flushing; wrong values and addresses are refused.

%include "runtime.inc"
%include "memory.inc"

%macro MAP 3                                    ; address, value, flags
        HYPERCALL UPDATE_VA_MAPPING, %1, %2, %3
%endmacro

main:
        mov dword [page], 0x600D
        mov dword [other], 0xCAFE
        FRAME_OF page
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov rbx, rax
        FRAME_OF other
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov rbp, rax

        MAP page, rbp, UVMF_INVLPG
        EXPECT rax, 0, "another frame, with INVLPG"
        EXPECT32 [page], 0xCAFE, "is seen"
        MAP page, rbx, UVMF_TLB_FLUSH
        EXPECT rax, 0, "the first frame, with a flush of all"
        EXPECT32 [page], 0x600D, "is seen"
        MAP page, rbp, UVMF_INVLPG | UVMF_ALL
        EXPECT rax, 0, "another frame, with INVLPG everywhere"
        EXPECT32 [page], 0xCAFE, "is seen there"
        MAP page, rbx, UVMF_TLB_FLUSH | UVMF_ALL
        EXPECT rax, 0, "the first frame, with a flush of all everywhere"
        EXPECT32 [page], 0x600D, "is seen everywhere"
        mov qword [processors], 1
        MAP page, rbp, processors + UVMF_INVLPG
        EXPECT rax, 0, "another frame, with INVLPG on a set of vCPUs"
        EXPECT32 [page], 0xCAFE, "is seen on them"
        MAP page, rbx, processors + UVMF_TLB_FLUSH
        EXPECT rax, 0, "the first frame, with a flush on a set of vCPUs"
        EXPECT32 [page], 0x600D, "is seen on each"
        MAP page, 0, UVMF_INVLPG
        EXPECT rax, 0, "nothing"
        EXPECT_TRAP 14, "is a page fault", mov eax, [page]
        MAP page, rbx, UVMF_NONE
        EXPECT rax, 0, "a page needs no flush where none was"
        EXPECT32 [page], 0x600D, "to be seen"
        MAP page + 5, rbp, UVMF_INVLPG
        EXPECT rax, 0, "an address within the page names it"
        EXPECT32 [page], 0xCAFE, "as its first does"
        MAP page, rbx, UVMF_INVLPG

        cmp qword [is_privileged], 0
        jne .tables
        mov rax, rbx
        or rax, PSE
        MAP page, rax, UVMF_INVLPG
        test rax, rax
        EXPECT_FLAG s, "memory types are refused to a domain without devices"
.tables:
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        or rax, WRITABLE_PAGE
        MAP page, rax, UVMF_INVLPG
        test rax, rax
        EXPECT_FLAG s, "a page table cannot be mapped writable"
        EXPECT32 [page], 0x600D, "the entry stays when a request is refused"
        mov rax, [start_info]
        FRAME_OF [rax + SI_PT_BASE]
        shl rax, 12
        or rax, READ_ONLY_PAGE
        MAP page, rax, UVMF_INVLPG
        EXPECT rax, 0, "but read-only"
        mov rax, [start_info]
        mov rax, [rax + SI_PT_BASE]
        mov rax, [rax + 511 * 8]
        EXPECT [page + 511 * 8], rax, "and read"
        MAP page, rbx, UVMF_INVLPG
        EXPECT rax, 0, "all is as it was"

        mov rax, 0x700000000000
        MAP rax, rbx, UVMF_INVLPG
        test rax, rax
        EXPECT_FLAG s, "where there is no table nothing can be mapped"
        mov rax, HYPERVISOR_START
        MAP rax, rbx, UVMF_INVLPG
        test rax, rax
        EXPECT_FLAG s, "nor in the hypervisor's space"
        mov rax, 0x8000000000000000
        MAP rax, rbx, UVMF_INVLPG
        test rax, rax
        EXPECT_FLAG s, "nor at an address that is not canonical"
        ret

section .bss
alignb 4096
page:   resb 4096
other:  resb 4096
processors: resq 1
