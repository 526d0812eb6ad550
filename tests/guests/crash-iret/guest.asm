; SPDX-License-Identifier: MIT
; An iret to user mode in a domain that has no root for it is the end of the domain.

%include "runtime.inc"

main:
        push FLAT_SS
        push 0x1000
        push 0x202
        push FLAT_CS64
        push .user
        push 0
        push 0
        push 0
        push 0
        mov eax, IRET_CALL
        syscall
.user:  FAILURE "user mode without page tables"
