; SPDX-License-Identifier: MIT
; RDMSR and WRMSR of a guest kernel: what it needs works, what would be the machine's is refused.

%include "runtime.inc"
%include "memory.inc"

EFER            equ 0xC0000080
STAR            equ 0xC0000081
LSTAR           equ 0xC0000082
FS_BASE         equ 0xC0000100
GS_BASE         equ 0xC0000101
KERNEL_GS_BASE  equ 0xC0000102
PAT             equ 0x277

%macro READ 1                                   ; into rax
        mov ecx, %1
        rdmsr
        shl rdx, 32
        or rax, rdx
%endmacro
%macro WRITE 2
        mov rax, %2
        mov rdx, rax
        shr rdx, 32
        mov ecx, %1
        wrmsr
%endmacro
%macro READ_REFUSED 2
        TRY_BEGIN
        READ %1
        TRY_END
        EXPECT [trap_vector], 13, %2
%endmacro
%macro WRITE_REFUSED 3
        TRY_BEGIN
        WRITE %1, %2
        TRY_END
        EXPECT [trap_vector], 13, %3
%endmacro

main:
        READ EFER
        mov r12, rax
        mov rbx, rax
        and ebx, 0x501
        EXPECT rbx, 0x501, "EFER has SCE, LME and LMA"
        WRITE EFER, r12
        READ EFER
        EXPECT rax, r12, "EFER may be written with what it holds"
        mov r13, r12
        xor r13, 0x800
        WRITE_REFUSED EFER, r13, "NX cannot be switched"
        mov r13, r12
        xor r13, 1
        WRITE_REFUSED EFER, r13, "SYSCALL cannot be switched"

        mov r13, 0x00007FFF12345678
        WRITE FS_BASE, r13
        READ FS_BASE
        EXPECT rax, r13, "FS_BASE holds what was written"
        mov r13, VIRT_BASE
        WRITE KERNEL_GS_BASE, r13
        READ KERNEL_GS_BASE
        EXPECT rax, r13, "KERNEL_GS_BASE holds what was written"
        mov r13, data
        WRITE GS_BASE, r13
        READ GS_BASE
        EXPECT rax, r13, "GS_BASE holds what was written"
        EXPECT [gs:8], 0x600D, "and counts at once"
        READ KERNEL_GS_BASE
        mov r13, VIRT_BASE
        EXPECT rax, r13, "the other GS base is untouched"
        mov r13, 0x8000000000000000
        WRITE_REFUSED FS_BASE, r13, "a base that is not canonical is refused"
        WRITE_REFUSED GS_BASE, r13, "for GS as well"
        WRITE_REFUSED KERNEL_GS_BASE, r13, "and for the user's GS"

        READ PAT
        mov r13, 0x0000050100070406
        EXPECT rax, r13, "PAT is the one of the interface"
        mov r13, 0x0007040600070406
        TRY_BEGIN
        WRITE PAT, r13
        TRY_END
        READ PAT
        mov r13, 0x0000050100070406
        EXPECT rax, r13, "PAT does not change"

        READ_REFUSED 0x12345, "an unknown register cannot be read"
        EXPECT [trap_error], 0, "with error code 0"
        WRITE_REFUSED 0x12345, 0, "an unknown register cannot be written"
        mov r13, main
        WRITE_REFUSED LSTAR, r13, "the entry for SYSCALL is the hypervisor's"
        WRITE_REFUSED STAR, 0, "its selectors too"
        WRITE_REFUSED 0x1B, 0xFEE00000, "the local APIC cannot be switched off"

        FRAME_OF hypercall_page                 ; where leaf 40000002h says
        shl rax, 12
        mov r13, rax
        WRITE 0x40000000, r13
        xor edi, edi
        xor esi, esi
        call hypercall_page + XEN_VERSION * 32
        EXPECT rax, 4 << 16 | 17, "the hypercall page can be had, and works"
        ret

section .data
align 16
data:   dq 0, 0x600D
section .bss
alignb 4096
hypercall_page: resb 4096
