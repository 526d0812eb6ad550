; SPDX-License-Identifier: MIT
; The frame that an exception in the guest's kernel leaves on its stack, field by field:
;       rcx, r11, [error code], rip, cs (RPL 0; bits 32–39 the upcall mask), rflags (IF = not masked), rsp, ss

%include "runtime.inc"
%include "memory.inc"
%include "rawtrap.inc"

KERNEL_CS equ FLAT_CS64 & ~3

        RAW_HANDLER 0
        RAW_HANDLER 3
        RAW_HANDLER 4
        RAW_HANDLER 6
        RAW_HANDLER 13
        RAW_HANDLER 14

main:
        HYPERCALL SET_TRAP_TABLE, raw_table
        EXPECT rax, 0, "a trap table is accepted"
        mov byte [shared_info + VI_MASK], 0

        ; INT3: no error code, rip behind it; an interrupt gate masks upcalls.
        CATCH .after_int3
        mov ecx, 0x11223344
        mov r11d, 0x55667788
        mov eax, 0x99AABBCC
.int3:  int3
.after_int3:
        EXPECT [raw_vector], 3, "INT3 has vector 3"
        EXPECT [raw_frame + F_RCX], 0x11223344, "rcx is in the frame"
        EXPECT [raw_frame + F_R11], 0x55667788, "r11 is in the frame"
        EXPECT [raw_rax], 0x99AABBCC, "rax is untouched"
        EXPECT [raw_frame + F_RIP], .int3 + 1, "rip is behind INT3"
        EXPECT [raw_frame + F_CS], KERNEL_CS, "cs has RPL 0 for the kernel, and the mask was clear"
        mov rax, [raw_frame + F_RFLAGS]
        and eax, 0x200
        EXPECT rax, 0x200, "IF says that upcalls were not masked"
        EXPECT [raw_frame + F_RSP], [test_stack], "rsp is in the frame"
        movzx eax, word [raw_frame + F_SS]
        or eax, 3
        EXPECT rax, FLAT_SS, "ss is in the frame"
        EXPECT [raw_mask], 1, "an interrupt gate masks upcalls"
        mov rax, [raw_rflags]
        and eax, 0x200
        EXPECT rax, 0x200, "the real interrupt flag stays on"
        mov rax, [test_stack]
        sub rax, [raw_stack]
        cmp rax, 7 * 8
        EXPECT_FLAG ae, "the frame lies below the stack"
        cmp rax, 9 * 8
        EXPECT_FLAG be, "and near to it"

        ; The same while upcalls are masked: it shows in cs and IF.
        CATCH .after_masked
        int3
.after_masked:
        mov rax, [raw_frame + F_CS]
        mov rcx, rax
        movzx eax, ax
        EXPECT rax, KERNEL_CS, "cs is the same when masked"
        shr rcx, 32
        and ecx, 0xFF
        EXPECT_NOT rcx, 0, "bits 32 to 39 of cs hold the mask"
        mov rax, [raw_frame + F_RFLAGS]
        and eax, 0x200
        EXPECT rax, 0, "IF says that upcalls were masked"
        mov byte [shared_info + VI_MASK], 0

        ; INTO's vector by INT 4, in 64-bit code as a two-byte instruction; a trap gate leaves the mask alone.
        CATCH .after_int4
.int4:  int 4
.after_int4:
        EXPECT [raw_vector], 4, "INT 4 has vector 4"
        EXPECT [raw_frame + F_RIP], .int4 + 2, "rip is behind INT 4"
        EXPECT [raw_mask], 0, "a trap gate does not mask upcalls"

        ; A fault: rip is the instruction's.
        CATCH .after_ud
.ud:    ud2
.after_ud:
        EXPECT [raw_vector], 6, "UD2 is an invalid opcode"
        EXPECT [raw_frame + F_RIP], .ud, "rip is that of UD2"

        CATCH .after_divide
        xor ecx, ecx
        mov eax, 1
        xor edx, edx
.divide: div ecx
.after_divide:
        EXPECT [raw_vector], 0, "a division by zero has vector 0"
        EXPECT [raw_frame + F_RIP], .divide, "rip is that of DIV"

        ; With an error code.
        mov byte [shared_info + VI_MASK], 0
        CATCH .after_gp
        mov ecx, 0x11223344
        mov r11d, 0x55667788
.gp:    hlt
.after_gp:
        EXPECT [raw_vector], 13, "HLT is refused by a protection fault"
        EXPECT [raw_frame + FE_ERROR], 0, "whose error code is 0"
        EXPECT [raw_frame + F_RCX], 0x11223344, "rcx is in a frame with an error code"
        EXPECT [raw_frame + F_R11], 0x55667788, "r11 is in a frame with an error code"
        EXPECT [raw_frame + FE_RIP], .gp, "rip is that of HLT"
        EXPECT [raw_frame + FE_CS], KERNEL_CS, "cs has RPL 0"
        EXPECT [raw_frame + FE_RSP], [test_stack], "rsp is behind an error code"

        CATCH .after_noncanonical
        mov rax, 0x8000000000000000
        mov rax, [rax]
.after_noncanonical:
        EXPECT [raw_vector], 13, "an address that is not canonical is a protection fault"

        CATCH .after_selector
        mov eax, 0x1238
        mov ds, eax
.after_selector:
        EXPECT [raw_vector], 13, "a selector beyond the table is a protection fault"
        EXPECT [raw_frame + FE_ERROR], 0x1238, "whose error code names it"

        ; Page faults: U is clear for the kernel, the address in vcpu_info.
        CATCH .after_read
        mov ebx, 0x1234
.read:  mov rax, [rbx]
.after_read:
        EXPECT [raw_vector], 14, "reading nothing is a page fault"
        EXPECT [raw_frame + FE_ERROR], 0, "of the kernel, for reading, not present"
        EXPECT [shared_info + VI_CR2], 0x1234, "vcpu_info has the address"
        EXPECT [raw_frame + FE_RIP], .read, "rip is the reader's"
        CATCH .after_write
        mov rbx, 0x123456789ABC
        mov [rbx], rax
.after_write:
        EXPECT [raw_vector], 14, "writing to nothing is a page fault"
        EXPECT [raw_frame + FE_ERROR], 2, "of the kernel, for writing, not present"
        mov rax, 0x123456789ABC
        EXPECT [shared_info + VI_CR2], rax, "vcpu_info has the long address"

        PAGE_FLAGS page, READ_ONLY_PAGE
        EXPECT rax, 0, "a page is made read-only"
        CATCH .after_protected
        mov [page + 8], rax
.after_protected:
        EXPECT [raw_vector], 14, "writing to a read-only page is a page fault"
        EXPECT [raw_frame + FE_ERROR], 3, "of the kernel, for writing, present"
        EXPECT [shared_info + VI_CR2], page + 8, "vcpu_info has the protected address"

        ; A new entry of the table counts from the next exception on; the others stay.
        HYPERCALL SET_TRAP_TABLE, second_table
        EXPECT rax, 0, "a table with one entry is accepted"
        CATCH .after_replaced
        ud2
.after_replaced:
        EXPECT [raw_vector], 0, "the entry for #UD was replaced"
        CATCH .after_kept
        int3
.after_kept:
        EXPECT [raw_vector], 3, "the entry for INT3 was kept"
        HYPERCALL SET_TRAP_TABLE, 0x1000
        EXPECT rax, EFAULT, "a table that is nowhere is refused"
        ret

section .data
align 16
raw_table:
        RAW_ENTRY 0, 4
        RAW_ENTRY 3, 3 | 4
        RAW_ENTRY 4, 3
        RAW_ENTRY 6, 4
        RAW_ENTRY 13, 4
        RAW_ENTRY 14, 4
        dq 0, 0
second_table:
        db 6, 0
        dw FLAT_CS64
        dd 0
        dq raw_handler_0
        dq 0, 0

section .bss
alignb 4096
page:   resb 4096
