; SPDX-License-Identifier: MIT
; How every processor but the first begins. A start-up interrupt names a page below 1 MiB; the processor begins there in
; real mode. Processors.cs copies this template to such a page and fills the fields at its head (StartPage).
;
; Long mode is entered in one step: with LME and PAE set, turning on protection and paging together is enough. The
; tables used meanwhile are the boot stub's, which map the page where it is; the final ones do not.

%include "offsets.inc"

section .rodata progbits alloc noexec nowrite align=16
global ap_trampoline, ap_trampoline_end

%define AT(label) (label - ap_trampoline)

bits 16
ap_trampoline:
        jmp short ap_real
        align 8, db 0
ap_stack:       dq 0                        ; taken by the processor that is started, once
ap_root:        dq 0                        ; final tables
ap_boot_root:   dd 0                        ; tables until then
ap_efer:        dd 0
ap_long_target: dd AT(ap_long)              ; + address of the page
                dw 8
ap_gdt_limit:   dw ap_gdt_end - ap_gdt - 1
                dd AT(ap_gdt)               ; + address of the page
        align 16, db 0
ap_gdt: dq 0
        dq 0x00AF9B000000FFFF               ; 08: code, 64 bit
ap_gdt_end:

ap_real:
        cli
        cld
        mov ax, cs
        mov ds, ax
        o32 lgdt [AT(ap_gdt_limit)]
        mov eax, cr4
        or eax, (1 << 5) | (1 << 9) | (1 << 10)                   ; PAE, OSFXSR, OSXMMEXCPT
        mov cr4, eax
        mov eax, [AT(ap_boot_root)]
        mov cr3, eax
        mov ecx, 0xC0000080                 ; EFER
        xor edx, edx
        mov eax, [AT(ap_efer)]
        wrmsr
        mov eax, cr0
        and eax, ~((1 << 2) | (1 << 3) | (1 << 29) | (1 << 30))   ; EM, TS, NW, CD
        or eax, (1 << 31) | (1 << 16) | (1 << 5) | 3              ; PG, WP, NE, MP, PE
        mov cr0, eax
        jmp far dword [AT(ap_long_target)]

bits 64
ap_long:
        mov rdx, [rel ap_root]
        xor eax, eax
        xchg rax, [rel ap_stack]
        test rax, rax
        jz .late                            ; given up, or a second start-up interrupt
        mov rsp, rax
        mov rax, ap_high
        jmp rax
.late:  cli
        hlt
        jmp .late
ap_trampoline_end:

section .text progbits alloc exec nowrite align=16
ap_high:
        mov cr3, rdx                        ; the page's descriptors are out of sight from here on
        xor eax, eax
        mov ds, eax
        mov es, eax
        mov ss, eax
        mov fs, eax
        mov gs, eax
        xor ebp, ebp
        extern ap_main
        call ap_main
        ud2
