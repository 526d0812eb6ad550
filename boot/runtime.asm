; SPDX-License-Identifier: MIT
; Memory routines that compiled code calls by name, guest copies, and symbols that ILCompiler's start-up code names.

%include "offsets.inc"
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

; guest_read_N(target, source), guest_write_N(target, source): N bytes by words, unrolled; true when all could be copied
%macro COPY_WORDS 1
  %assign offset 0
  %rep %1 / 8
%%load_%+offset:
        mov rax, [rsi + offset]
        FIXUP %%load_%+offset, guest_copy_failed
%%store_%+offset:
        mov [rdi + offset], rax
        FIXUP %%store_%+offset, guest_copy_failed
    %assign offset offset + 8
  %endrep
        mov eax, 1
        ret
%endmacro

LEAF guest_read_4
LEAF guest_write_4
.load:  mov eax, [rsi]
        FIXUP .load, guest_copy_failed
.store: mov [rdi], eax
        FIXUP .store, guest_copy_failed
        mov eax, 1
        ret
%assign size 8
%rep 10
LEAF guest_read_%+size
LEAF guest_write_%+size
        COPY_WORDS size
  %assign size size + 8
%endrep
guest_copy_failed:
        xor eax, eax
        ret

; guest_push_bounce(frame, stack, cs word, flags, error code, has error code?): false on a fault
LEAF guest_push_bounce
        mov rax, [rdi + CpuUserRegs_Rcx]
.w0:    mov [rsi], rax
        FIXUP .w0, guest_copy_failed
        mov rax, [rdi + CpuUserRegs_R11]
.w1:    mov [rsi + 8], rax
        FIXUP .w1, guest_copy_failed
        test r9b, r9b
        jz .rest
.w2:    mov [rsi + 16], r8
        FIXUP .w2, guest_copy_failed
        add rsi, 8
.rest:  mov rax, [rdi + CpuUserRegs_Rip]
.w3:    mov [rsi + 16], rax
        FIXUP .w3, guest_copy_failed
.w4:    mov [rsi + 24], rdx
        FIXUP .w4, guest_copy_failed
.w5:    mov [rsi + 32], rcx
        FIXUP .w5, guest_copy_failed
        mov rax, [rdi + CpuUserRegs_Rsp]
.w6:    mov [rsi + 40], rax
        FIXUP .w6, guest_copy_failed
        movzx eax, word [rdi + CpuUserRegs_Ss]
.w7:    mov [rsi + 48], rax
        FIXUP .w7, guest_copy_failed
        mov eax, 1
        ret

; guest_load_iret(frame, stack, rest): the nine words of an iret frame; rax, r11, rcx, rip and rsp go where they belong, flags, cs,
; rflags and ss to the four words at rest; false on a fault
LEAF guest_load_iret
.r0:    mov rax, [rsi]
        FIXUP .r0, guest_copy_failed
.r1:    mov rcx, [rsi + 8]
        FIXUP .r1, guest_copy_failed
.r2:    mov r8, [rsi + 16]
        FIXUP .r2, guest_copy_failed
.r3:    mov r9, [rsi + 24]
        FIXUP .r3, guest_copy_failed
        mov [rdi + CpuUserRegs_Rax], rax
        mov [rdi + CpuUserRegs_R11], rcx
        mov [rdi + CpuUserRegs_Rcx], r8
        mov [rdx], r9
.r4:    mov rax, [rsi + 32]
        FIXUP .r4, guest_copy_failed
.r5:    mov rcx, [rsi + 40]
        FIXUP .r5, guest_copy_failed
.r6:    mov r8, [rsi + 48]
        FIXUP .r6, guest_copy_failed
.r7:    mov r9, [rsi + 56]
        FIXUP .r7, guest_copy_failed
        mov [rdi + CpuUserRegs_Rip], rax
        mov [rdx + 8], rcx
        mov [rdx + 16], r8
        mov [rdi + CpuUserRegs_Rsp], r9
.r8:    mov rax, [rsi + 64]
        FIXUP .r8, guest_copy_failed
        mov [rdx + 24], rax
        mov eax, 1
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
