; SPDX-License-Identifier: MIT
; Instructions, frames, descriptors and selectors of chance, for minutes: ten million instructions.

%define INSTRUCTIONS 10000000
%include "random-instructions/guest.asm"
