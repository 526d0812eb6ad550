; SPDX-License-Identifier: MIT
; What a switch from one vCPU to another costs, and a wake-up with it, does not depend on how many others sleep beside
; them: measured with two vCPUs on a CPU, then with a hundred more that have blocked. In ticks of the time-stamp counter, the
; least of many rounds; under QEMU's -icount a tick is an instruction. Prints lines for `tools/xt bench`.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "context.inc"
%include "figures.inc"

ROUNDS          equ 500
SLEEPERS        equ 100
FIRST_SLEEPER   equ 2
OWN_INFO        equ 32                          ; from this number on a vCPU has no vcpu_info in shared_info

%macro VCPU 2-3 0
        HYPERCALL VCPU_OP, %1, %2, %3
%endmacro
; CLEAR_PORT port: forgets its event.
%macro CLEAR_PORT 1
        mov eax, %1
        lock btr [shared_info + SH_PENDING], rax
%endmacro
; IPI vCPU, port, poll, send: binds one, with the requests that wait for it and that send it.
%macro IPI 4
        mov dword [event_op], %1
        HYPERCALL EVENT_CHANNEL_OP, BIND_IPI, event_op
        REQUIRE rax, 0, "an IPI is bound"
        mov eax, [event_op + 4]
        mov [%2], eax
        mov [%4], eax
        mov qword [%3], %2
        mov dword [%3 + 8], 1
%endmacro
; NO_DEARER few, many, "promise": by no more than five in a hundred.
%macro NO_DEARER 3
        mov rax, [%1]
        mov ecx, 20
        xor edx, edx
        div rcx
        add rax, [%1]
        cmp [%2], rax
        EXPECT_FLAG be, %3
%endmacro

main:
        mov rdi, shared_info + SH_MASK          ; whoever polls wants no upcall
        mov rax, -1
        mov ecx, 64
        rep stosq
        VCPU VCPUOP_STOP_PERIODIC, 0
        IPI 0, port_0, poll_0, send_0
        IPI 1, port_1, poll_1, send_1
        CONTEXT partner, partner_stack_top
        mov r13d, 1
        call start_vcpu

        call measure
        mov [few_yields], rbx
        mov [few_wakes], r13
        call start_sleepers
        call measure
        mov [many_yields], rbx
        mov [many_wakes], r13

        mov rbx, [few_yields]
        FIGURE "switch by yield, two vCPUs"
        mov rbx, [many_yields]
        FIGURE "switch by yield, 100 more asleep"
        mov rbx, [few_wakes]
        FIGURE "wake, poll and back, two vCPUs"
        mov rbx, [many_wakes]
        FIGURE "wake, poll and back, 100 more asleep"
        NO_DEARER few_yields, many_yields, "a switch costs the same with many asleep"
        NO_DEARER few_wakes, many_wakes, "a wake-up costs the same with many asleep"
        EXPECT [woken], 0, "nobody woke them"
        ret

; vCPU r13 begins with the context.
start_vcpu:
        mov rax, cr3
        mov [context + C_CR3], rax
        mov [context + C_REGISTERS + R_RBX], r13
        VCPU VCPUOP_INITIALISE, r13, context
        REQUIRE rax, 0, "the context is accepted"
        VCPU VCPUOP_UP, r13
        REQUIRE rax, 0, "the vCPU comes up"
        ret

start_sleepers:
        CONTEXT sleeper, partner_stack_top      ; which they do not use
        mov r13d, FIRST_SLEEPER
.next:  cmp r13d, OWN_INFO
        jb .start
        mov r12, r13
        shl r12, 6
        lea rdi, [infos + r12]
        and rdi, ~4095
        call frame_of
        mov [request], rax
        mov eax, r12d
        and eax, 4095
        mov [request + 8], rax
        VCPU VCPUOP_REGISTER_INFO, r13, request
        REQUIRE rax, 0, "it has a vcpu_info"
        mov word [infos + r12 + VI_PENDING], 0  ; the call had something pending, in case it was missed
        mov qword [infos + r12 + VI_SELECTOR], 0
.start: call start_vcpu
        inc r13d
        cmp r13d, FIRST_SLEEPER + SLEEPERS
        jb .next
        mov r13d, 1000000
.wait:  HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        dec r13d
        jz .awake
        cmp dword [asleep], SLEEPERS
        jne .wait
        mov r13d, 2 * SLEEPERS                  ; turns, for the last one to do so
.last:  HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        dec r13d
        jnz .last
        ret
.awake: FAILURE "all vCPUs have a turn"

sleeper:
        VCPU VCPUOP_STOP_PERIODIC, rbx
        lock inc dword [asleep]
.sleep: HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0
        lock inc qword [woken]
        jmp .sleep

; The least cost of a pair of switches by yield in rbx, of an event there and one back in r13.
measure:
        mov rbx, -1
        mov r12d, ROUNDS
.yield: mov r13, [turns]
        rdtsc
        mov ebp, eax
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        rdtsc
        sub eax, ebp
        inc r13
        cmp r13, [turns]
        jne .no_switch                          ; or more than one turn of the other
        cmp rax, rbx
        cmovb rbx, rax
.no_switch:
        dec r12d
        jnz .yield
        EXPECT_NOT rbx, -1, "yield lets the other vCPU have a turn"

        mov qword [polls], 1
        mov r13, -1
        mov r12d, ROUNDS
.event: rdtsc
        mov ebp, eax
        call there_and_back
        rdtsc
        sub eax, ebp
        cmp rax, r13
        cmovb r13, rax
        dec r12d
        jnz .event
        mov qword [polls], 0                    ; and once more: the other leaves its poll

there_and_back:
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, send_1
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll_0
        CLEAR_PORT [port_0]
        ret

partner:
        VCPU VCPUOP_STOP_PERIODIC, 1
.yield: inc qword [turns]
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        cmp qword [polls], 0
        je .yield
.poll:  HYPERCALL SCHED_OP, SCHEDOP_POLL, poll_1
        CLEAR_PORT [port_1]
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, send_0
        cmp qword [polls], 0
        jne .poll
        jmp .yield

section .bss
alignb 4096
infos:          resb 2 * 4096
partner_stack:  resb 4096
partner_stack_top:
request:        resq 2
poll_0:         resq 3
poll_1:         resq 3
send_0:         resq 1
send_1:         resq 1
port_0:         resd 1
port_1:         resd 1
asleep:         resd 1
alignb 8
woken:          resq 1
turns:          resq 1
polls:          resq 1
few_yields:     resq 1
few_wakes:      resq 1
many_yields:    resq 1
many_wakes:     resq 1
