; SPDX-License-Identifier: MIT
; Hypercalls that make no sense, for minutes: more than ten million of them.

%define OPERATIONS 6000000
%include "random-calls/guest.asm"
