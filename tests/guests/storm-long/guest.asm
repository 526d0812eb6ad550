; SPDX-License-Identifier: MIT
; The storm, for minutes.

%define OPERATIONS 10000000
%include "storm/guest.asm"
