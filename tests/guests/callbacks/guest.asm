; SPDX-License-Identifier: MIT
; callback_op: the kinds of callback of a 64-bit guest, unregistering, and what is refused.

%include "runtime.inc"

%macro REGISTER 2                               ; kind, address
        mov dword [request], %1
        mov rax, %2
        mov [request + 8], rax
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, request
%endmacro

main:
        REGISTER CALLBACK_EVENT, main
        EXPECT rax, 0, "the event callback is accepted"
        REGISTER CALLBACK_FAILSAFE, main
        EXPECT rax, 0, "the failsafe callback is accepted"
        REGISTER CALLBACK_SYSCALL, main
        EXPECT rax, 0, "the syscall callback is accepted"
        REGISTER 7, main
        EXPECT rax, 0, "the callback for 32-bit system calls is accepted"
        REGISTER 5, main
        EXPECT rax, 0, "the callback for SYSENTER is accepted"
        REGISTER 4, main
        EXPECT rax, 0, "the NMI callback is accepted on vCPU 0"
        REGISTER CALLBACK_SYSCALL | CALLBACKF_MASK_EVENTS << 16, main
        EXPECT rax, 0, "callbacks may mask events"
        REGISTER 9, main
        EXPECT rax, ENOSYS, "there is no ninth kind"
        mov rcx, 0x8000000000000000
        REGISTER CALLBACK_EVENT, rcx
        EXPECT rax, EINVAL, "an address that is not canonical is refused"

        mov dword [request], 4
        HYPERCALL CALLBACK_OP, CALLBACKOP_UNREGISTER, request
        EXPECT rax, 0, "the NMI callback can be taken back"
        mov dword [request], CALLBACK_EVENT
        HYPERCALL CALLBACK_OP, CALLBACKOP_UNREGISTER, request
        EXPECT rax, EINVAL, "the event callback cannot"
        mov dword [request], 77
        HYPERCALL CALLBACK_OP, CALLBACKOP_UNREGISTER, request
        EXPECT rax, ENOSYS, "what does not exist cannot be unregistered"
        HYPERCALL CALLBACK_OP, 7, request
        EXPECT rax, ENOSYS, "there is no seventh operation"
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, 0x1000
        EXPECT rax, EFAULT, "a request that is nowhere is refused"
        ret

section .bss
request: resq 2
