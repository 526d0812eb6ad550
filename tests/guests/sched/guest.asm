; SPDX-License-Identifier: MIT
; sched_op: yield, block and poll come back as promised.

%include "runtime.inc"
%include "events.inc"

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        call events_start
        EXPECT rax, 0, "the upcall is registered"
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        EXPECT rax, 0, "yield comes back"
        EXPECT8 [shared_info + VI_MASK], 1, "yield leaves the mask alone"

        ; Block with something pending comes back at once, with upcalls unmasked and the upcall made.
        call loopback
        EXPECT rax, 0, "a pair of ports is bound"
        mov r12d, esi
        mov r13d, edi
        mov qword [upcalls], 0
        mov qword [fired], 0
        SEND r13d
        HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0
        EXPECT rax, 0, "block comes back"
        EXPECT8 [shared_info + VI_MASK], 0, "block unmasks upcalls"
        EXPECT_NOT [upcalls], 0, "and lets them come"
        MASK_UPCALLS

        ; Poll looks at masked ports, and makes no upcall.
        mov eax, r12d
        bts [shared_info + SH_MASK], rax
        mov qword [upcalls], 0
        SEND r13d
        mov [ports], r12d
        mov qword [poll], ports
        mov dword [poll + 8], 1
        mov qword [poll + 16], 0
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        EXPECT rax, 0, "poll comes back when a port is pending"
        EXPECT [upcalls], 0, "without an upcall"

        ; With a time limit and nothing pending.
        mov qword [shared_info + SH_PENDING], 0
        mov qword [shared_info + VI_SELECTOR], 0
        mov byte [shared_info + VI_PENDING], 0
        call system_time
        add rax, 3000000
        mov rbp, rax
        mov [poll + 16], rax
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        EXPECT rax, 0, "poll comes back when time is up"
        call system_time
        cmp rax, rbp
        EXPECT_FLAG ae, "and not before"
        mov dword [poll + 8], 0
        call system_time
        add rax, 3000000
        mov rbp, rax
        mov [poll + 16], rax
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        EXPECT rax, 0, "poll may wait for time alone"
        call system_time
        cmp rax, rbp
        EXPECT_FLAG ae, "until it has come"

        mov dword [poll + 8], 1
        mov dword [ports], 100000
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        EXPECT rax, EINVAL, "there is no such port to poll"
        mov dword [poll + 8], 1000
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        EXPECT rax, EINVAL, "so many ports are not polled"
        mov dword [poll + 8], 1
        mov qword [poll], 0x1000
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        EXPECT rax, EFAULT, "a list that is nowhere is refused"
        HYPERCALL SCHED_OP, SCHEDOP_POLL, 0x1000
        EXPECT rax, EFAULT, "a request that is nowhere is refused"
        HYPERCALL SCHED_OP, 99, poll
        EXPECT rax, ENOSYS, "there is no 99th operation"
        HYPERCALL SCHED_OP, SCHEDOP_SHUTDOWN, 0x1000
        EXPECT rax, EFAULT, "shutdown wants a reason"
        ret

%include "clock.inc"

section .bss
poll:   resq 3
ports:  resq 1
