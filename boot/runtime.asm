; SPDX-License-Identifier: MIT
; Memory routines that compiled code calls by name, and symbols that ILCompiler's start-up code names.

section .text progbits alloc exec nowrite align=16

%macro LEAF 1
        align 16
global %1
%1:
%endmacro

; memmove(target, source, length)
LEAF memmove
        mov rcx, rdx
        mov rax, rdi
        sub rax, rsi
        cmp rax, rdx
        jb .down                            ; the target begins inside the source
        mov eax, edx
        and eax, 7
        shr rcx, 3
        rep movsq
        mov ecx, eax
        rep movsb
        ret
.down:  std
        lea rsi, [rsi + rcx - 1]
        lea rdi, [rdi + rcx - 1]
        rep movsb
        cld
        ret

; memzero(target, length)
LEAF memzero
        mov rcx, rsi
        xor eax, eax
        mov edx, esi
        and edx, 7
        shr rcx, 3
        rep stosq
        mov ecx, edx
        rep stosb
        ret

; memfill(target, value, length)
LEAF memfill
        mov rcx, rdx
        mov eax, esi
        rep stosb
        ret

LEAF memset
        mov rcx, rdx
        mov eax, esi
        mov rdx, rdi
        rep stosb
        mov rax, rdx
        ret

; Native start-up code that nobody calls refers to these two.
LEAF RhpReversePInvoke
LEAF RhpReversePInvokeReturn
        ud2

; A bounds or overflow check that the compiler wrote has failed.
LEAF panic_runtime_check
        lea rdi, [rel .text]
        mov esi, .end - .text
        extern machine_panic
        jmp machine_panic
.text:  db "a runtime check failed (index out of range, or division by zero)"
.end:

; The word before a fixed buffer's return address was overwritten.
LEAF RhpFallbackFailFast
        lea rdi, [rel .text]
        mov esi, .end - .text
        jmp machine_panic
.text:  db "a buffer on the hypervisor's stack overflowed"
.end:
