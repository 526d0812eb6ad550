; SPDX-License-Identifier: MIT
; Event channels of the two-level kind: binding to oneself, sending, masking, upcalls, IPIs, closing, status.

%include "runtime.inc"
%include "events.inc"

%macro EVENT 1                                  ; operation on event_op
        HYPERCALL EVENT_CHANNEL_OP, %1, event_op
%endmacro
%macro EXPECT_PENDING 3                         ; port, 0 or 1, "promise"
        mov eax, %1
        bt [shared_info + SH_PENDING], rax
        setc al
        movzx eax, al
        EXPECT rax, %2, %3
%endmacro
%macro CLEAR_EVENTS 0
        mov qword [shared_info + SH_PENDING], 0
        mov qword [shared_info + VI_SELECTOR], 0
        mov byte [shared_info + VI_PENDING], 0
        mov qword [upcalls], 0
        mov qword [fired], 0
%endmacro

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        call events_start
        EXPECT rax, 0, "the upcall is registered"

        mov dword [event_op], DOMID_SELF << 16 | DOMID_SELF
        EVENT ALLOC_UNBOUND
        EXPECT rax, 0, "a port for oneself is allocated"
        mov r12d, [event_op + 4]
        cmp r12d, 0
        EXPECT_FLAG ne, "port 0 is nobody's"
        call status
        EXPECT32 [event_op + 8], 1, "it is unbound"
        EXPECT32 [event_op + 12], 0, "and belongs to vCPU 0"
        mov dword [event_op], DOMID_SELF
        mov [event_op + 4], r12d
        EVENT BIND_INTERDOMAIN
        EXPECT rax, 0, "it is bound from the other side"
        mov r13d, [event_op + 8]
        cmp r13d, r12d
        EXPECT_FLAG ne, "by another port"
        call status
        EXPECT32 [event_op + 8], 2, "it is interdomain"
        EXPECT32 [event_op + 20], r13d, "with the other port at its end"
        mov dword [event_op], DOMID_SELF
        mov [event_op + 4], r12d
        EVENT BIND_INTERDOMAIN
        EXPECT rax, EINVAL, "it is not bound twice"

        ; Binding makes the new side pending once, so that nothing is lost.
        CLEAR_EVENTS
        SEND r13d
        EXPECT rax, 0, "an event is sent"
        EXPECT_PENDING r12d, 1, "the other end is pending"
        EXPECT_PENDING r13d, 0, "this end is not"
        EXPECT8 [shared_info + VI_PENDING], 1, "an upcall is pending"
        mov eax, r12d
        shr eax, 6
        bt [shared_info + VI_SELECTOR], rax
        EXPECT_FLAG c, "the selector names the word"
        EXPECT [upcalls], 0, "no upcall comes while they are masked"
        SEND r13d
        EXPECT rax, 0, "sending again is no error"
        UNMASK_UPCALLS
        EXPECT [upcalls], 1, "unmasking and a call bring one upcall"
        bt [fired], r12
        EXPECT_FLAG c, "for the port"
        EXPECT8 [shared_info + VI_MASK], 0, "after which upcalls are on again"
        SEND r13d
        EXPECT [upcalls], 2, "with upcalls on, the event comes at the end of the call"

        ; A masked port becomes pending but does not call.
        CLEAR_EVENTS
        mov eax, r12d
        bts [shared_info + SH_MASK], rax
        SEND r13d
        EXPECT_PENDING r12d, 1, "a masked port becomes pending"
        EXPECT [upcalls], 0, "but there is no upcall"
        EXPECT8 [shared_info + VI_PENDING], 0, "none is pending"
        mov [event_op], r12d
        EVENT EVTCHN_UNMASK
        EXPECT rax, 0, "the port is unmasked"
        EXPECT [upcalls], 1, "and what was pending arrives"
        mov eax, r12d
        bt [shared_info + SH_MASK], rax
        EXPECT_FLAG nc, "the mask bit is gone"
        EVENT EVTCHN_UNMASK
        EXPECT [upcalls], 1, "unmasking without an event brings none"

        ; To the other direction, and while iret unmasks.
        MASK_UPCALLS
        SEND r12d
        EXPECT_PENDING r13d, 1, "both directions work"
        mov rax, rsp
        push FLAT_SS
        push rax
        push 0x202
        push FLAT_CS64 & ~3
        push .after_iret
        push 0
        push 0
        push 0
        push 0
        mov eax, IRET_CALL
        syscall
.after_iret:
        EXPECT [upcalls], 2, "iret that unmasks brings the upcall at once"
        bt [fired], r13
        EXPECT_FLAG c, "for that port"

        ; IPI
        CLEAR_EVENTS
        mov dword [event_op], 0
        EVENT BIND_IPI
        EXPECT rax, 0, "an IPI is bound"
        mov ebp, [event_op + 4]
        SEND ebp
        EXPECT [upcalls], 1, "an IPI to oneself arrives"
        bt [fired], rbp
        EXPECT_FLAG c, "at its port"
        mov r9d, r12d
        mov r12d, ebp
        call status
        mov r12d, r9d
        EXPECT32 [event_op + 8], 5, "its status is IPI"
        mov dword [event_op], 1
        EVENT BIND_IPI
        EXPECT rax, ENOENT, "there is no vCPU 1"

        ; VIRQs
        mov qword [event_op], VIRQ_DEBUG
        EVENT BIND_VIRQ
        EXPECT rax, 0, "a VIRQ is bound"
        mov ebx, [event_op + 8]
        EVENT BIND_VIRQ
        EXPECT rax, EEXIST, "not twice"
        SEND ebx
        EXPECT rax, EINVAL, "a VIRQ is not sent"
        mov [event_op], ebx
        EVENT EVTCHN_CLOSE
        EXPECT rax, 0, "it is closed"
        mov qword [event_op], VIRQ_DEBUG
        EVENT BIND_VIRQ
        EXPECT rax, 0, "and bound again"
        mov qword [event_op], 99
        EVENT BIND_VIRQ
        EXPECT rax, EINVAL, "there is no VIRQ 99"

        ; vCPU binding
        mov [event_op], r12d
        mov dword [event_op + 4], 0
        EVENT BIND_VCPU
        EXPECT rax, 0, "a port can be bound to vCPU 0"
        mov dword [event_op + 4], 7
        EVENT BIND_VCPU
        EXPECT rax, ENOENT, "not to vCPU 7"

        ; Closing one end leaves the other unbound.
        MASK_UPCALLS
        mov [event_op], r13d
        EVENT EVTCHN_CLOSE
        EXPECT rax, 0, "one end is closed"
        call status
        EXPECT32 [event_op + 8], 1, "the other is unbound again"
        SEND r12d
        EXPECT rax, 0, "sending into nothing is no error"
        mov [event_op], r12d
        EVENT EVTCHN_CLOSE
        EXPECT rax, 0, "the other is closed"
        call status
        EXPECT32 [event_op + 8], 0, "and free"
        SEND r12d
        EXPECT rax, EINVAL, "nothing is sent by a closed port"
        mov [event_op], r12d
        EVENT EVTCHN_CLOSE
        EXPECT rax, EINVAL, "a closed port is not closed"
        SEND 0
        EXPECT rax, EINVAL, "nothing is sent by port 0"
        SEND 100000
        EXPECT rax, EINVAL, "nor by a port that does not exist"
        mov dword [event_op], 100000
        EVENT EVTCHN_UNMASK
        EXPECT rax, EINVAL, "which is not unmasked either"
        mov dword [event_op], DOMID_SELF
        mov dword [event_op + 4], 100000
        EVENT BIND_INTERDOMAIN
        EXPECT rax, EINVAL, "nor bound"
        mov dword [event_op], 0x1234
        mov dword [event_op + 4], 1
        EVENT BIND_INTERDOMAIN
        EXPECT rax, ESRCH, "there is no domain 1234h"
        HYPERCALL EVENT_CHANNEL_OP, 99, event_op
        EXPECT rax, ENOSYS, "there is no 99th operation"
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, 0x1000
        EXPECT rax, EFAULT, "a request that is nowhere is refused"
        ret

; Status of port r12d, in event_op.
status: mov dword [event_op], DOMID_SELF
        mov [event_op + 4], r12d
        EVENT EVTCHN_STATUS
        EXPECT rax, 0, "a port's status is told"
        ret
