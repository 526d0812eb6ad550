; SPDX-License-Identifier: MIT
; Time: the record in vcpu_info counts nanoseconds, the one-shot timer and set_timer_op fire when it says so, a deadline
; that is past fires at once, a stopped timer does not.

%include "runtime.inc"
%include "events.inc"

%macro VCPU 2
        HYPERCALL VCPU_OP, %1, 0, %2
%endmacro
%macro WAIT_FOR_TIMER 0
        mov qword [upcalls], 0
        HYPERCALL SCHED_OP, SCHEDOP_BLOCK, 0    ; unmasks upcalls itself
        EXPECT rax, 0, "block returns"
        MASK_UPCALLS
%endmacro

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        call events_start
        EXPECT rax, 0, "the upcall is registered"
        mov qword [event_op], VIRQ_TIMER
        HYPERCALL EVENT_CHANNEL_OP, BIND_VIRQ, event_op
        EXPECT rax, 0, "the timer's VIRQ is bound"

        ; The clock runs, and does not run back.
        mov eax, [shared_info + VI_TIME + TI_VERSION]
        and eax, 1
        EXPECT rax, 0, "the time record is complete"
        EXPECT_NOT [shared_info + VI_TIME + TI_MULTIPLIER], 0, "it has a rate"
        call system_time
        mov rbp, rax
        EXPECT_NOT rax, 0, "time is told"
        mov r13d, 1000
.clock: call system_time
        cmp rax, rbp
        EXPECT_FLAG ae, "time does not run back"
        mov rbp, rax
        dec r13d
        jnz .clock
        mov eax, [shared_info + SH_WC_VERSION]
        and eax, 1
        EXPECT rax, 0, "the wall clock is complete"
        mov eax, [shared_info + SH_WC_SECONDS]
        cmp eax, 1000000000
        EXPECT_FLAG a, "the wall clock knows this century"

        VCPU VCPUOP_STOP_PERIODIC, 0
        EXPECT rax, 0, "the periodic timer can be stopped"
        ; On a busy host it has fired before: what is pending is delivered here, and wakes nobody below.
        mov byte [shared_info + VI_MASK], 0
        HYPERCALL XEN_VERSION, 0, 0
        MASK_UPCALLS

        ; One-shot timer in 3 ms.
        call system_time
        add rax, 3000000
        mov [deadline], rax
        mov dword [deadline + 8], 0
        VCPU VCPUOP_SET_SINGLESHOT, deadline
        EXPECT rax, 0, "the one-shot timer is set"
        WAIT_FOR_TIMER
        call system_time
        cmp rax, [deadline]
        EXPECT_FLAG ae, "block lasts until the deadline"
        EXPECT_NOT [upcalls], 0, "the timer's event came"

        ; A deadline that is past.
        mov qword [deadline], 1
        mov dword [deadline + 8], 0
        VCPU VCPUOP_SET_SINGLESHOT, deadline
        EXPECT rax, 0, "a deadline that is past is accepted"
        WAIT_FOR_TIMER
        EXPECT_NOT [upcalls], 0, "and fires at once"

        ; VCPU_SSHOTTMR_future: who wants the deadline in the future may be told that it has passed; Xen may also ignore it.
        mov dword [deadline + 8], SSHOTTMR_FUTURE
        VCPU VCPUOP_SET_SINGLESHOT, deadline
        cmp rax, ETIME
        je .told
        EXPECT rax, 0, "a deadline that is past and was to be in the future is refused, or accepted"
        WAIT_FOR_TIMER
        EXPECT_NOT [upcalls], 0, "and fires at once"
.told:  call system_time
        add rax, 200000000                      ; even on a host that is busy it does not pass before the call
        mov [deadline], rax
        VCPU VCPUOP_SET_SINGLESHOT, deadline
        EXPECT rax, 0, "a deadline that is in the future is accepted"
        WAIT_FOR_TIMER
        call system_time
        cmp rax, [deadline]
        EXPECT_FLAG ae, "block lasts until that deadline"
        EXPECT_NOT [upcalls], 0, "and the timer's event came"

        ; set_timer_op
        call system_time
        add rax, 2000000
        mov rbx, rax
        HYPERCALL SET_TIMER_OP, rbx
        EXPECT rax, 0, "set_timer_op is accepted"
        WAIT_FOR_TIMER
        call system_time
        cmp rax, rbx
        EXPECT_FLAG ae, "and lasts until its deadline"
        HYPERCALL SET_TIMER_OP, 0
        EXPECT rax, 0, "set_timer_op stops it"

        ; A stopped timer does not fire before one that was set later.
        mov qword [upcalls], 0
        call system_time
        add rax, 2000000
        mov [deadline], rax
        VCPU VCPUOP_SET_SINGLESHOT, deadline
        EXPECT rax, 0, "a timer is set"
        VCPU VCPUOP_STOP_SINGLESHOT, 0
        EXPECT rax, 0, "and stopped"
        MASK_UPCALLS
        call system_time
        lea rbx, [rax + 6000000]
.spin:  call system_time
        cmp rax, rbx
        jb .spin
        HYPERCALL XEN_VERSION, 0, 0
        EXPECT8 [shared_info + VI_PENDING], 0, "it does not fire"

        ; Periodic.
        mov qword [period], 2000000
        call system_time
        mov rbp, rax
        VCPU VCPUOP_SET_PERIODIC, period
        EXPECT rax, 0, "the periodic timer is set"
        mov qword [upcalls], 0                  ; whoever blocks need not be woken by it: wait awake
        mov byte [shared_info + VI_MASK], 0
        call system_time
        mov rbx, 3000000000
        add rbx, rax
.periods:
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        call system_time
        cmp rax, rbx
        EXPECT_FLAG b, "it fires again and again"
        cmp qword [upcalls], 3
        jb .periods
        MASK_UPCALLS
        call system_time
        sub rax, rbp
        cmp rax, 6000000
        EXPECT_FLAG ae, "three periods take three times the period"
        mov qword [period], 1
        VCPU VCPUOP_SET_PERIODIC, period
        EXPECT rax, EINVAL, "a period of a nanosecond is refused"
        VCPU VCPUOP_STOP_PERIODIC, 0
        EXPECT rax, 0, "the periodic timer is stopped"

        HYPERCALL VCPU_OP, VCPUOP_SET_SINGLESHOT, 5, deadline
        EXPECT rax, ENOENT, "there is no vCPU 5"
        ret

%include "clock.inc"

section .bss
deadline: resq 2
period: resq 1
