; SPDX-License-Identifier: MIT
; A second vCPU: it starts where its context says, has its own vcpu_info and time, takes IPIs, goes down and comes up again.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "context.inc"

INFO_1          equ shared_info + 64

%macro VCPU 2-3 0
        HYPERCALL VCPU_OP, %1, %2, %3
%endmacro
; AWAIT byte, value, "promise": gives way to the other vCPU until it has written.
%macro AWAIT 3
        mov rbp, 1000000
%%wait: cmp qword [%1], %2
        je %%seen
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        dec rbp
        jnz %%wait
        FAILURE %3
%%seen:
%endmacro

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        VCPU VCPUOP_IS_UP, 1
        EXPECT rax, 0, "the second vCPU is there and down"
        VCPU VCPUOP_IS_UP, 2
        EXPECT rax, ENOENT, "there is no third"
        VCPU VCPUOP_UP, 1
        EXPECT rax, EINVAL, "it does not come up without a context"

        CONTEXT second, second_stack_top
        mov qword [context + C_REGISTERS + R_RBX], 0xBBBB
        mov qword [context + C_REGISTERS + R_R9], 0x9999
        mov qword [context + C_REGISTERS + R_RDI], 0xD1D1
        mov qword [context + C_EVENT], second_upcall
        mov rax, 0x123456789000
        mov [context + C_CR3], rax
        VCPU VCPUOP_INITIALISE, 1, context
        EXPECT rax, EINVAL, "a root that is nobody's memory is refused"
        FRAME_OF stack_of_nobody
        shl rax, 12
        mov [context + C_CR3], rax
        VCPU VCPUOP_INITIALISE, 1, context
        EXPECT rax, EINVAL, "a page that is no root is refused"
        mov rax, cr3
        mov [context + C_CR3], rax
        VCPU VCPUOP_INITIALISE, 1, context
        EXPECT rax, 0, "a context is accepted"
        VCPU VCPUOP_INITIALISE, 1, context
        EXPECT rax, EEXIST, "once"
        VCPU VCPUOP_INITIALISE, 1, 0x1000
        test rax, rax
        EXPECT_FLAG s, "a context that is nowhere is refused"
        VCPU VCPUOP_IS_UP, 1
        EXPECT rax, 0, "it is still down"
        VCPU VCPUOP_UP, 1
        EXPECT rax, 0, "it comes up"
        AWAIT step, 1, "it runs"
        VCPU VCPUOP_IS_UP, 1
        EXPECT rax, 1, "it is up"
        EXPECT [seen_rbx], 0xBBBB, "rbx was as in its context"
        EXPECT [seen_r9], 0x9999, "r9 was as in its context"
        EXPECT [seen_rdi], 0xD1D1, "rdi was as in its context"
        EXPECT [seen_rsp], second_stack_top, "rsp was as in its context"
        EXPECT [seen_cs], FLAT_CS64, "cs was the flat one"
        EXPECT_NOT [INFO_1 + VI_TIME + TI_MULTIPLIER], 0, "it has a time record"

        ; An IPI reaches that vCPU and no other.
        mov dword [event_op], 1
        HYPERCALL EVENT_CHANNEL_OP, BIND_IPI, event_op
        EXPECT rax, 0, "an IPI is bound to it"
        mov r13d, [event_op + 4]
        mov qword [step], 2
        AWAIT step, 3, "it goes to block"
        SEND r13d
        EXPECT rax, 0, "the IPI is sent"
        AWAIT step, 4, "it is woken by the IPI"
        EXPECT [second_upcalls], 1, "by one upcall"
        EXPECT8 [shared_info + VI_PENDING], 0, "the first vCPU was not concerned"

        ; A port moves from one to the other.
        call loopback
        EXPECT rax, 0, "a pair of ports is bound"
        mov r12d, edi
        mov [event_op], esi
        mov dword [event_op + 4], 1
        HYPERCALL EVENT_CHANNEL_OP, BIND_VCPU, event_op
        EXPECT rax, 0, "a port is moved to it"
        mov byte [shared_info + VI_PENDING], 0
        mov qword [step], 5
        AWAIT step, 6, "it goes to block again"
        SEND r12d
        AWAIT step, 7, "it is woken by the port"
        EXPECT8 [shared_info + VI_PENDING], 0, "again without the first"

        ; Flushes that name it.
        mov qword [processors], 3
        MMUEXT TLB_FLUSH_MULTI, 0, processors
        EXPECT rax, 0, "flush, on both"
        MMUEXT INVLPG_MULTI, main, processors
        EXPECT rax, 0, "INVLPG, on both"

        ; Down by its own call, and up again behind it.
        mov qword [step], 8
        AWAIT step, 9, "it is about to go down"
        mov rbp, 1000000
.down:  HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        VCPU VCPUOP_IS_UP, 1
        test rax, rax
        jz .is_down
        dec rbp
        jnz .down
        FAILURE "it goes down"
.is_down:
        EXPECT [step], 9, "it stands still"
        VCPU VCPUOP_GET_RUNSTATE, 1, runstate
        EXPECT rax, 0, "its run state is told"
        EXPECT32 [runstate], 3, "it is offline"
        VCPU VCPUOP_UP, 1
        EXPECT rax, 0, "it comes up again"
        AWAIT step, 10, "it goes on behind its call"
        VCPU VCPUOP_DOWN, 1
        EXPECT rax, 0, "it is taken down by the other"
        VCPU VCPUOP_IS_UP, 1
        EXPECT rax, 0, "and is down at once"
        ret

second: mov [seen_rbx], rbx
        mov [seen_r9], r9
        mov [seen_rdi], rdi
        mov [seen_rsp], rsp
        mov eax, cs
        mov [seen_cs], rax
        mov qword [step], 1
        call .until_2
        mov byte [INFO_1 + VI_MASK], 1
        mov qword [step], 3
        HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0
        mov qword [step], 4
.wait5: HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        cmp qword [step], 5
        jne .wait5
        mov byte [INFO_1 + VI_MASK], 1
        mov qword [step], 6
        HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0
        mov qword [step], 7
.wait8: HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        cmp qword [step], 8
        jne .wait8
        mov qword [step], 9
        VCPU VCPUOP_DOWN, 1
        mov qword [step], 10
.for_ever:
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        jmp .for_ever
.until_2:
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        cmp qword [step], 2
        jne .until_2
        ret

second_upcall:
        pop rcx
        pop r11
        push rax
        inc qword [second_upcalls]
        mov byte [INFO_1 + VI_PENDING], 0
        mov qword [INFO_1 + VI_SELECTOR], 0
        mov qword [shared_info + SH_PENDING], 0
        pop rax
        jmp return_from_trap

section .bss
alignb 4096
stack_of_nobody: resb 4096
second_stack:   resb 4096
second_stack_top:
step:           resq 1
seen_rbx:       resq 1
seen_r9:        resq 1
seen_rdi:       resq 1
seen_rsp:       resq 1
seen_cs:        resq 1
second_upcalls: resq 1
processors:     resq 1
runstate:       resq 6
