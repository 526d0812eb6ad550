; SPDX-License-Identifier: MIT
; Hypercalls with arguments that make no sense, or nearly make sense: whatever they answer, the guest goes on and the
; hypervisor too. Pointers are null, not canonical, the hypervisor's, unmapped, read-only, across the end of a page, or the
; guest's own page tables; frames are its own, foreign, or nobody's; counts go up to those that only a continuation has;
; every eighth request is a multicall of such calls. Left out is only what ends or stops a domain by right, or takes away
; what the test stands on.
;
; The command line may hold a seed, decimal. Not for Domain-0, which is trusted and could do harm.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "random.inc"

%ifndef OPERATIONS
%define OPERATIONS 200000
%endif
WORDS           equ 1024
CALLS           equ 16                          ; of a multicall

main:
        cmp qword [is_privileged], 0
        je .go
        SKIP "this is Domain-0"
.go:    call events_start
        EXPECT rax, 0, "the upcall is registered"
        call random_start
        xor ebx, ebx
.frame: mov rdi, rbx
        shl rdi, 12
        add rdi, pool
        call frame_of
        mov [frames + rbx * 8], rax
        inc ebx
        cmp ebx, 16
        jb .frame
        PAGE_FLAGS sealed, READ_ONLY_PAGE
        REQUIRE rax, 0, "a read-only page"
        HYPERCALL UPDATE_VA_MAPPING, nothing, 0, UVMF_INVLPG
        REQUIRE rax, 0, "a page that is not mapped"
        mov rbx, [start_info]
        mov rcx, [rbx + SI_NR_PT_FRAMES]
        shl rcx, 12
        sub rcx, 8
        mov [table_bytes], rcx
        mov r12d, OPERATIONS
.next:  mov eax, r12d
        and eax, 63
        jnz .call
        call refill
.call:  call random
        test eax, 7
        jz .multicall
        call choose
        jc .skip
        mov rdi, [arguments]
        mov rsi, [arguments + 8]
        mov rdx, [arguments + 16]
        mov r10, [arguments + 24]
        mov r8, [arguments + 32]
        mov r9, [arguments + 40]
        mov eax, ebx
        TRY syscall
        inc qword [made]
        test rax, rax
        js .after
        inc qword [accepted]
.after: xor eax, eax
        mov ds, eax
        mov es, eax
.skip:  dec r12d
        jnz .next
        HYPERCALL FPU_TASKSWITCH, 0
        mov rdi, [made]
        call print_number
        PRINT " calls, no error from "
        mov rdi, [accepted]
        call print_number
        mov rdi, end_of_line
        mov esi, end_of_line_length
        call print
        ret

; Several in one, of which each counts as a call.
.multicall:
        xor ebp, ebp
.entry: call choose
        jc .entry
        mov rdi, rbp
        shl edi, 6
        add rdi, calls
        mov [rdi], rbx
        mov qword [rdi + 8], -1
        add rdi, 16
        mov rsi, arguments
        mov ecx, 6
        rep movsq
        inc ebp
        cmp ebp, CALLS
        jb .entry
        call random
        and eax, CALLS - 1
        inc eax
        mov ebp, eax
        TRY_BEGIN
        HYPERCALL MULTICALL, calls, rbp
        TRY_END
        add [made], rbp
.count: lea edi, [rbp - 1]
        shl edi, 6
        mov rax, [calls + rdi + 8]
        cmp rax, -4095
        adc qword [accepted], 0                 ; below: no error
        dec ebp
        jnz .count
        jmp .after

; A call in ebx and arguments; carry: not this one.
choose: call random
        mov ebx, eax
        and ebx, 63
        test eax, 0x1F00
        jnz .number
        call value                              ; there are not so many
        mov ebx, eax
        cmp ebx, 64
        jb choose
.number:
        mov rcx, 1 << 0 | 1 << 13 | 1 << 23 | 1 << 30   ; trap table, multicall, iret, callbacks: the test's own
        cmp ebx, 64
        jae .arguments
        bt rcx, rbx
        jc .done
.arguments:
%assign argument 0
%rep 6
        call value
        mov [arguments + argument * 8], rax
%assign argument argument + 1
%endrep
        jmp restrict
.done:  ret

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
        je .memory
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
.memory:
        call random
        mov ecx, eax
        and eax, 63
        test ecx, 0x300
        jnz .start
        shr ecx, 10
        shl rcx, 6
        or rax, rcx                             ; as if so many extents were done
.start: mov [arguments], rax
        jmp .accept
.small: and qword [arguments], 31
        cmp ebx, EVENT_CHANNEL_OP
        jne .accept
        cmp qword [arguments], 11               ; a FIFO of random pages would be written to for ever after
        je .refuse
        jmp .accept
.sched: cmp qword [arguments], SCHEDOP_YIELD
        je .accept
        cmp qword [arguments], 4                ; remote_shutdown and pin_override are not for this domain
        je .accept
        cmp qword [arguments], 7
        jb .refuse
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
        and eax, 15
        movzx eax, byte [mmuext_commands + rax]
        mov [buffer], rax
        call value
        mov [buffer + 8], rax
        call value
        mov [buffer + 16], rax
        mov rax, buffer
        mov [arguments], rax
        mov qword [arguments + 8], 1
.accept:
        clc
        ret
.refuse:
        stc
        ret

; A number that could be an argument, in rax. Destroys rcx, rdi.
value:  call random
        mov ecx, eax
        shr eax, 8
        and ecx, KINDS - 1
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
.null:  xor eax, eax
        ret
.crooked:                                       ; just not canonical
        and eax, 0xFFFF
        mov rcx, 0x00007FFFFFFFFFF0
        add rax, rcx
        ret
.unmapped:
        and eax, 4095
        add rax, nothing
        ret
.sealed:
        and eax, 4095
        add rax, sealed
        ret
.crossing:                                      ; begins well, ends where nothing is or nothing may be written
        and eax, 127
        neg rax
        test al, 8
        jz .into_sealed
        add rax, nothing
        ret
.into_sealed:
        add rax, sealed
        ret
.table: and rax, [table_bytes]
        mov rcx, [start_info]
        add rax, [rcx + SI_PT_BASE]
        ret
.map:   mov rcx, M2P_BASE
        add rax, rcx
        ret
.someone:                                       ; Domain-0, itself by number, others
        and eax, 3
        ret
.beyond:                                        ; frames that no machine has
        mov rcx, 1 << 40
        add rax, rcx
        ret
.root:  mov rcx, cr3
        mov rax, rcx
        shr rax, 12
        ret
.forged:                                        ; a count with the mark of a continuation
        and eax, 1023
        or eax, 0x80000000
        ret
.started:                                       ; a sub-operation with the mark of a continuation
        mov ecx, eax
        and ecx, 0xFF
        shr eax, 8
        and eax, 31
        shl rcx, 6
        or rax, rcx
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
kinds:                                          ; what can succeed comes oftener
        times 8 dq value.small
        times 4 dq value.byte
        times 16 dq value.buffer
        times 4 dq value.page, value.frame
        times 2 dq value.address, value.self, value.crossing, value.unmapped, value.sealed
        dq value.half, value.whole, value.domain, value.hypervisor, value.edge, value.minus, value.null, value.crooked
        dq value.table, value.map, value.someone, value.beyond, value.root, value.forged, value.started, value.null
        dq value.small, value.small
KINDS   equ 64
mmuext_commands:                                ; all but the kernel's root
        db PIN_L1, PIN_L2, PIN_L3, PIN_L4, UNPIN, TLB_FLUSH_LOCAL, INVLPG_LOCAL, TLB_FLUSH_MULTI, INVLPG_MULTI
        db TLB_FLUSH_ALL, INVLPG_ALL, FLUSH_CACHE, SET_LDT, NEW_USER_BASEPTR, CLEAR_PAGE, COPY_PAGE

section .bss
alignb 4096
frames: resq 16
arguments: resq 6
made:   resq 1
accepted: resq 1
table_bytes: resq 1
calls:  resq CALLS * 8
alignb 4096
pool:   resb 16 * 4096
sealed: resb 4096
spare:  resb 4096
nothing: resb 4096
buffer: resq WORDS                              ; what answers write beyond it hurts nothing that is needed
