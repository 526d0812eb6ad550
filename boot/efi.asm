; SPDX-License-Identifier: MIT
; The way into EFI's runtime services and back.

section .text progbits alloc exec nowrite align=16

EFI_MXCSR       equ 0x1F80                  ; all exceptions masked, as UEFI 2.10 §2.3.4 wants
SHADOW          equ 32                      ; the caller's room for four register arguments

; (function, five arguments, 512 bytes for FXSAVE): calls by the convention of EFI, which keeps rbx, rbp and r12-r15 as ours
; does, but none of the low vector registers: these are the guest's.
global firmware_enter
        align 16
firmware_enter:
        push rbp
        mov rbp, rsp
        push rbx
        push r12
        mov rbx, rdx
        and rsp, -16
        fxsave64 [rbx]
        fninit
        sub rsp, 16
        mov dword [rsp], EFI_MXCSR
        ldmxcsr [rsp]
        add rsp, 16
        mov rax, rdi
        mov r10, [rsi + 32]
        sub rsp, SHADOW + 16
        mov [rsp + SHADOW], r10             ; the fifth argument
        mov rcx, [rsi]
        mov rdx, [rsi + 8]
        mov r8, [rsi + 16]
        mov r9, [rsi + 24]
        cld
        call rax
        cli                                 ; it may have been careless
        cld
        fxrstor64 [rbx]
        lea rsp, [rbp - 16]
        pop r12
        pop rbx
        pop rbp
        ret
