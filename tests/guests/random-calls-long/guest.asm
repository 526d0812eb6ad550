; SPDX-License-Identifier: MIT
; Hypercalls that make no sense, for minutes.

%define OPERATIONS 20000000
%include "random-calls/guest.asm"
