; SPDX-License-Identifier: MIT
; A kernel whose stack cannot take an exception's frame has crashed: its domain ends, and nothing else does.

%include "runtime.inc"

main:
        mov esp, 0x1000
        int3
        FAILURE "an exception without a stack was survived"
