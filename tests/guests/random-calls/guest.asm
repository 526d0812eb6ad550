; SPDX-License-Identifier: MIT
; Hypercalls with arguments that make no sense, or nearly make sense: whatever they answer, the guest goes on and the
; hypervisor too. Left out is only what ends or stops a domain by right, or takes away what the test stands on.
;
; The command line may hold a seed, decimal. Not for Domain-0, which is trusted and could do harm.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"

%ifndef OPERATIONS
%define OPERATIONS 200000
%endif
WORDS           equ 1024

main:
        cmp qword [is_privileged], 0
        je .go
        SKIP "this is Domain-0"
.go:    call events_start
        EXPECT rax, 0, "the upcall is registered"
        mov rsi, [start_info]
        add rsi, SI_CMD_LINE
        mov r13, 0x9E3779B97F4A7C15
.seed:  movzx eax, byte [rsi]
        inc rsi
        test eax, eax
        jz .seeded
        sub eax, '0'
        cmp eax, 9
        ja .seed
        imul r13, r13, 10
        add r13, rax
        jmp .seed
.seeded:
        xor ebx, ebx
.frame: mov rdi, rbx
        shl rdi, 12
        add rdi, pool
        call frame_of
        mov [frames + rbx * 8], rax
        inc ebx
        cmp ebx, 16
        jb .frame
        mov r12d, OPERATIONS
.next:  mov eax, r12d
        and eax, 63
        jnz .call
        call refill
.call:  call random
        and eax, 63
        mov ebx, eax
        mov rcx, 1 << 0 | 1 << 13 | 1 << 23 | 1 << 30   ; trap table, multicall, iret, callbacks: the test's own
        bt rcx, rbx
        jc .skip
        call value
        mov [arguments], rax
        call value
        mov [arguments + 8], rax
        call value
        mov [arguments + 16], rax
        call value
        mov [arguments + 24], rax
        call value
        mov [arguments + 32], rax
        call restrict
        jc .skip
        mov rdi, [arguments]
        mov rsi, [arguments + 8]
        mov rdx, [arguments + 16]
        mov r10, [arguments + 24]
        mov r8, [arguments + 32]
        mov eax, ebx
        mov [last], ebx
        TRY syscall
        xor eax, eax
        mov ds, eax
        mov es, eax
.skip:  dec r12d
        jnz .next
        HYPERCALL FPU_TASKSWITCH, 0
        ret

; Makes the arguments of call ebx harmless to the test itself; carry: do not make it.
restrict:
        cmp ebx, SCHED_OP
        je .sched
        cmp ebx, VCPU_OP
        je .vcpu
        cmp ebx, CONSOLE_IO
        je .console
        cmp ebx, UPDATE_VA_MAPPING
        je .mapping
        cmp ebx, UPDATE_VA_OTHER
        je .mapping
        cmp ebx, SET_DEBUGREG
        je .debug
        cmp ebx, MMUEXT_OP
        je .mmuext
        cmp ebx, MEMORY_OP
        je .small
        cmp ebx, GRANT_TABLE_OP
        je .small
        cmp ebx, EVENT_CHANNEL_OP
        je .small
        cmp ebx, XEN_VERSION
        je .small
        cmp ebx, PHYSDEV_OP
        je .small
        clc
        ret
.small: and qword [arguments], 31
        cmp ebx, EVENT_CHANNEL_OP
        jne .accept
        cmp qword [arguments], 11               ; a FIFO of random pages would be written to for ever after
        je .refuse
        cmp qword [arguments], 10
        je .refuse
        jmp .accept
.sched: cmp qword [arguments], SCHEDOP_YIELD
        je .accept
        cmp qword [arguments], 7
        jbe .refuse
        jmp .accept
.vcpu:  and qword [arguments], 15
        cmp qword [arguments], VCPUOP_DOWN
        je .refuse
        cmp qword [arguments], 11               ; an NMI that nobody waits for
        je .refuse
        cmp qword [arguments], VCPUOP_REGISTER_INFO
        je .refuse
        call random
        and eax, 3
        setnz al
        movzx eax, al
        dec eax
        and [arguments + 8], eax
        jmp .accept
.console:
        or qword [arguments], 2
        jmp .accept
.mapping:
        call random
        and eax, 15
        shl eax, 12
        add rax, pool
        mov [arguments], rax
        jmp .accept
.debug: and qword [arguments], 3                ; addresses, but none is turned on
        jmp .accept
.mmuext:
        mov rax, buffer                         ; no new root of chance
        cmp [arguments], rax
        jb .accept
        call random
        and eax, 7
        add rax, [mmuext_commands]
        mov [buffer], rax
        mov qword [arguments + 8], 1
.accept:
        clc
        ret
.refuse:
        stc
        ret

; xorshift64*
random: mov rax, r13
        shr rax, 12
        xor r13, rax
        mov rax, r13
        shl rax, 25
        xor r13, rax
        mov rax, r13
        shr rax, 27
        xor r13, rax
        mov rax, 0x2545F4914F6CDD1D
        imul rax, r13
        shr rax, 32
        ret

; A number that could be an argument, in rax. Destroys rcx, rdi.
value:  call random
        mov ecx, eax
        shr eax, 8
        and ecx, 15
        jmp [kinds + rcx * 8]
.small: and eax, 15
        ret
.byte:  and eax, 255
        ret
.half:  ret
.whole: mov rcx, rax
        call random
        shl rcx, 32
        or rax, rcx
        ret
.buffer:
        and eax, (WORDS - 64) * 8 - 8
        add rax, buffer
        ret
.page:  and eax, 15
        shl eax, 12
        add rax, pool
        ret
.frame: and eax, 15
        mov rax, [frames + rax * 8]
        ret
.address:
        and eax, 15
        mov rax, [frames + rax * 8]
        shl rax, 12
        or rax, WRITABLE_PAGE
        ret
.self:  mov eax, DOMID_SELF
        ret
.domain:
        and eax, 7
        add eax, 0x7FF0
        ret
.minus: mov rax, -1
        ret
.hypervisor:
        shl rax, 15
        mov rcx, HYPERVISOR_START
        add rax, rcx
        ret
.edge:  and eax, 63
        neg rax
        mov rcx, HYPERVISOR_END
        add rax, rcx
        ret
.top:   neg rax
        ret

refill: push rbx
        xor ebx, ebx
.word:  call value
        mov [buffer + rbx * 8], rax
        call random
        test eax, 3
        jz .next
        call random
        and eax, 15
        mov [buffer + rbx * 8 + 4], eax         ; two small numbers
.next:  inc ebx
        cmp ebx, WORDS
        jb .word
        pop rbx
        ret

section .data
align 8
mmuext_commands: dq TLB_FLUSH_LOCAL
kinds:  dq value.small, value.small, value.byte, value.half, value.whole, value.buffer, value.buffer, value.buffer
        dq value.page, value.frame, value.address, value.self, value.domain, value.hypervisor, value.edge, value.minus

section .bss
alignb 4096
frames: resq 16
arguments: resq 5
last:   resq 1
alignb 4096
pool:   resb 16 * 4096
buffer: resq WORDS                              ; what answers write beyond it hurts nothing that is needed
