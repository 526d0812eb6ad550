; SPDX-License-Identifier: MIT
; Memory routines that compiled code calls by name, guest copies, and symbols that ILCompiler's start-up code names.

%include "fixup.inc"

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

; guest_copy_from(target, source, length) and guest_copy_to(target, source, length): bytes not copied
LEAF guest_copy_from
LEAF guest_copy_to
        mov rcx, rdx
        and edx, 7
        shr rcx, 3
.words: rep movsq
        FIXUP .words, .short_words
        mov ecx, edx
.bytes: rep movsb
        FIXUP .bytes, .short_bytes
        xor eax, eax
        ret
.short_words:
        lea rax, [rcx * 8]
        add rax, rdx
        ret
.short_bytes:
        mov rax, rcx
        ret

; guest_read_words(target, source, count), guest_write_words(target, source, count): true when all were copied
LEAF guest_read_words
LEAF guest_write_words
.next:  sub rdx, 1
        jb .done
.load:  mov rax, [rsi + rdx * 8]
        FIXUP .load, .fail
.store: mov [rdi + rdx * 8], rax
        FIXUP .store, .fail
        jmp .next
.done:  mov eax, 1
        ret
.fail:  xor eax, eax
        ret

; guest_write_bounce_frame(stack, frame, with error code?): false on a fault
LEAF guest_write_bounce_frame
        mov rax, [rsi]
        mov rcx, [rsi + 8]
.w0:    mov [rdi], rax
        FIXUP .w0, .fail
.w1:    mov [rdi + 8], rcx
        FIXUP .w1, .fail
        test dl, dl
        jz .rest
        mov rax, [rsi + 16]
.w2:    mov [rdi + 16], rax
        FIXUP .w2, .fail
        add rdi, 8
.rest:  mov rax, [rsi + 24]
        mov rcx, [rsi + 32]
.w3:    mov [rdi + 16], rax
        FIXUP .w3, .fail
.w4:    mov [rdi + 24], rcx
        FIXUP .w4, .fail
        mov rax, [rsi + 40]
        mov rcx, [rsi + 48]
.w5:    mov [rdi + 32], rax
        FIXUP .w5, .fail
.w6:    mov [rdi + 40], rcx
        FIXUP .w6, .fail
        mov rax, [rsi + 56]
.w7:    mov [rdi + 48], rax
        FIXUP .w7, .fail
        mov eax, 1
        ret
.fail:  xor eax, eax
        ret

; guest_compare_exchange64(address, expected*, replacement): 0 done, 1 changed, 2 fault
LEAF guest_compare_exchange64
        mov rax, [rsi]
.try:   lock cmpxchg [rdi], rdx
        FIXUP .try, .fail
        jne .changed
        xor eax, eax
        ret
.changed:
        mov [rsi], rax
        mov eax, 1
        ret
.fail:  mov eax, 2
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
