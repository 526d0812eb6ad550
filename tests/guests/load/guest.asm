; SPDX-License-Identifier: MIT
; A load for tests of whole systems, and a console that answers. The first letter of the command line says which:
;
;       s       spins: never gives the processor up
;       t       ticks: sleeps, wakes every 10 ms by its timer, works for 0.1 ms, and notes how late it was
;       i       is idle: waits for its console
;
; To any input on its console it answers a line: the letter, turns or ticks so far, the worst and the summed delay of
; ticks in nanoseconds since it last answered, the nanoseconds that it has run, and the system time.
;
; S and T do so in a window of each eight seconds of system time, all guests in the same ones, and sleep in between, so that
; nobody else needs a processor meanwhile. They say `begin` with the number of the window. What they do in its first half second
; does not count: a guest that owes something to the others from the last window waits until they have had it. Three more
; seconds count; then they say `end` with the number, turns or ticks, worst and summed delay, nanoseconds run, and
; nanoseconds between its first looks at the clock after the beginning and after the end of the three seconds. What it ran
; is what it ran in the three seconds: a guest that has no processor when they begin or end runs nothing until it looks.
;
; Without a console of its own it proves that the loads run, and ends.

%include "runtime.inc"
%include "events.inc"

PERIOD          equ 10000000                    ; ns between ticks
WORK            equ 100                         ; turns for each tick
SETTLING        equ 500000000                   ; ns of work that do not count
WINDOW          equ 3000000000                  ; ns of work that do
WINDOWS         equ 8000000000                  ; ns from one window to the next
LOWER           equ 0x20                        ; bit of small letters

IN_CONS         equ 3072
IN_PROD         equ 3076
OUT_CONS        equ 3080
OUT_PROD        equ 3084
OUT_RING        equ 1024
OUT_MASK        equ 2047

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        call events_start
        REQUIRE rax, 0, "the upcall is registered"
        mov qword [event_op], VIRQ_TIMER
        HYPERCALL EVENT_CHANNEL_OP, BIND_VIRQ, event_op
        REQUIRE rax, 0, "the timer's VIRQ is bound"
        HYPERCALL VCPU_OP, VCPUOP_STOP_PERIODIC, 0, 0
        mov rbx, [start_info]
        mov rsi, [rbx + SI_CONSOLE_MFN]
        test rsi, rsi
        jz alone
        shl rsi, 12
        or rsi, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, console, rsi, UVMF_INVLPG
        REQUIRE rax, 0, "the console's ring is mapped"
        mov al, [rbx + SI_CMD_LINE]
        mov [kind], al
        mov rbx, spin
        or al, LOWER
        cmp al, 's'
        je .known
        mov rbx, tick
        cmp al, 't'
        je .known
        mov rbx, rest
        cmp al, 'i'
        je .known
        ERROR "the command line is s, t, i, S or T"
.known: test byte [kind], LOWER
        jz windows
.step:  call rbx
        call answer
        jmp .step

; Steps of the load at rbx in each window.
windows:
        call system_time
        xor edx, edx
        mov rcx, WINDOWS
        div rcx
        cmp rdx, SETTLING
        jae .sleep
        cmp rax, [window]
        jne .begin
.sleep: inc rax
        mov rcx, WINDOWS
        mul rcx
        HYPERCALL SET_TIMER_OP, rax
        call wait_for_event
        jmp windows
.begin: mov [window], rax
        mov rcx, WINDOWS
        mul rcx
        add rax, SETTLING
        mov [until], rax
        mov rdi, begin_text
        mov esi, begin_text_length
        call put_text
        mov rdi, [window]
        call put_number
        call put_end
        call work
        mov rax, WINDOW
        add [until], rax
        call note
        mov rax, [runstate + 16]
        mov [ran], rax
        call system_time
        mov [since], rax
        xor eax, eax
        mov [turns], rax
        mov [worst], rax
        mov [delays], rax
        mov [deadline], rax
        call work
        call system_time
        sub rax, [since]
        mov [since], rax
        call note
        mov rdi, end_text
        mov esi, end_text_length
        call put_text
        mov rdi, [window]
        call put_number
        mov rdi, [turns]
        call put_number
        mov rdi, [worst]
        call put_number
        mov rdi, [delays]
        call put_number
        mov rdi, [runstate + 16]
        sub rdi, [ran]
        call put_number
        mov rdi, [since]
        call put_number
        call put_end
        jmp windows

work:   call rbx
        call system_time
        cmp rax, [until]
        jb work
        ret

note:   HYPERCALL VCPU_OP, VCPUOP_GET_RUNSTATE, 0, runstate
        ret

spin:   inc qword [turns]
        jmp turn

rest:   inc qword [turns]
        jmp wait_for_event

; Each kind of load as often as shows that it comes back.
alone:  mov ebx, 1000
.turn:  call turn
        dec ebx
        jnz .turn
        mov ebx, 5
.tick:  mov rbp, [turns]
.wait:  call tick
        cmp [turns], rbp
        je .wait
        dec ebx
        jnz .tick
        EXPECT [turns], 5, "each tick is counted once"
        EXPECT_NOT [delays], 0, "no tick is early, nor at the very moment"
        ret

; About a thousand instructions.
turn:
%rep 1000
        nop
%endrep
        ret

; Sleeps until an event comes, a tick's or the console's; a tick that is due is counted and does its work.
tick:   cmp qword [deadline], 0
        jne .sleep
        call system_time
        add rax, PERIOD
        mov [deadline], rax
.sleep: mov rax, [deadline]
        HYPERCALL SET_TIMER_OP, rax
        call wait_for_event
        call system_time
        sub rax, [deadline]
        jb .early
        inc qword [turns]
        add [delays], rax
        cmp rax, [worst]
        jbe .known
        mov [worst], rax
.known: mov r12d, WORK
.work:  call turn
        dec r12d
        jnz .work
        ; Ticks that have passed meanwhile are left out.
        call system_time
        mov rbp, rax
.next:  add qword [deadline], PERIOD
        cmp [deadline], rbp
        jb .next
.early: ret

wait_for_event:
        HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0    ; unmasks upcalls itself
        MASK_UPCALLS
        ret

; A line for whatever was typed.
answer: mov eax, [console + IN_PROD]
        cmp eax, [console + IN_CONS]
        jne .typed
        ret
.typed: mov [console + IN_CONS], eax
        mov al, [kind]
        call put
        mov rdi, [turns]
        call put_number
        mov rdi, [worst]
        call put_number
        mov rdi, [delays]
        call put_number
        call note
        mov rdi, [runstate + 16]
        call put_number
        call system_time
        mov rdi, rax
        call put_number
        mov qword [worst], 0
        mov qword [delays], 0

; The end of a line, which is on its way then.
put_end:
        mov al, 13
        call put
        mov al, 10
        call put
        mov rax, [start_info]
        mov eax, [rax + SI_CONSOLE_PORT]
        SEND eax
        ret

; Text at rdi, esi bytes.
put_text:
        mov al, [rdi]
        call put
        inc rdi
        dec esi
        jnz put_text
        ret

; A blank and the number in rdi, decimal.
put_number:
        push rbx
        mov rax, rdi
        mov rbx, number_buffer_end
        mov byte [rbx - 1], 0
        dec rbx
        mov ecx, 10
.digit: xor edx, edx
        div rcx
        add dl, '0'
        dec rbx
        mov [rbx], dl
        test rax, rax
        jnz .digit
        mov al, ' '
.put:   call put
        mov al, [rbx]
        inc rbx
        test al, al
        jnz .put
        pop rbx
        ret

; The character in al, once there is room.
put:    mov edx, [console + OUT_PROD]
        mov ecx, edx
        sub ecx, [console + OUT_CONS]
        cmp ecx, OUT_MASK
        jbe .room
        pause
        jmp put
.room:  mov ecx, edx
        and ecx, OUT_MASK
        mov [console + OUT_RING + rcx], al
        inc edx
        mov [console + OUT_PROD], edx
        ret

        STRING begin_text, "begin"
        STRING end_text, "end"

%include "clock.inc"

section .bss
alignb 4096
console:  resb 4096                             ; the ring is mapped over it
turns:    resq 1
worst:    resq 1
delays:   resq 1
deadline: resq 1
runstate: resq 6
window:   resq 1                              ; 0 is the first, before any guest
until:    resq 1
since:    resq 1
ran:      resq 1
kind:     resb 1
