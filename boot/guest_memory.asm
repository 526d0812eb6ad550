; SPDX-License-Identifier: MIT
; The only code that touches memory by addresses of the guest. Every routine is here twice. The plain one serves processors
; without SMAP; its twin opens user pages by STAC and closes them by CLAC before it returns. On a processor with SMAP the
; first instruction of each plain routine is replaced at boot by a jump to its twin (SmapPatches.cs), so that one without
; pays nothing. A fault inside a twin enters with AC set: the entry stub clears it, and IRETQ brings it back for the way
; out through the fixup, which closes as well.

%include "offsets.inc"
%include "fixup.inc"

%macro COPY_WORDS 1
  %assign offset 0
  %rep %1 / 8
%%load_%+offset:
        mov rax, [rsi + offset]
        FIXUP %%load_%+offset, GUEST_NAME(guest_copy_failed)
%%store_%+offset:
        mov [rdi + offset], rax
        FIXUP %%store_%+offset, GUEST_NAME(guest_copy_failed)
    %assign offset offset + 8
  %endrep
        mov eax, 1
        GUEST_RETURN
%endmacro

section .text progbits alloc exec nowrite align=16

%define GUEST_NAME(name) name
%macro GUEST_ROUTINE 1-2
        align 16
global %1
%1:
  %if %0 = 2
global %2
%2:
  %endif
%endmacro
%macro GUEST_RETURN 0
        ret
%endmacro
%include "guest_copies.inc"
%unmacro GUEST_ROUTINE 1-2
%unmacro GUEST_RETURN 0

; (plain routine, its twin) for each
%define GUEST_NAME(name) name %+ _smap
%macro GUEST_ROUTINE 1-2
        align 16
global GUEST_NAME(%1)
GUEST_NAME(%1):
        stac
        [section .smap_routines progbits alloc noexec nowrite align=8]
        dq %1, GUEST_NAME(%1)
        __?SECT?__
%endmacro
%macro GUEST_RETURN 0
        clac
        ret
%endmacro
        align 16
global smap_twins_start, smap_twins_end
smap_twins_start:
%include "guest_copies.inc"
smap_twins_end:
