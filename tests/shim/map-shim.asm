; SPDX-License-Identifier: MIT
; A multiboot 1 kernel that stands between the loader and the hypervisor and spoils the memory map on the way. The loader
; takes it for the kernel; its first module is the hypervisor (an ELF32 file) with its command line, the others are the
; hypervisor's own. What it does to the map stands in its command line:
;
;   map=none      there is no map, and no other word of memory
;   map=empty     the map has no entries
;   map=noram     every entry is reserved
;   map=little    all RAM ends at 5 MiB
;   map=long      2,000 entries
;   map=size      the first entry has an impossible size
;   map=tangled   the same memory, but unsorted, twice, overlapping, with empty, wrapping and unknown entries; one page of
;                 RAM at 96 MiB is unusable
;
; Any other command line hands the map over as it is.

MAGIC           equ 0x1BADB002
FLAGS           equ 3                   ; modules on page boundaries; memory map
HANDOVER        equ 0x2BADB002

INFO_FLAGS      equ 0
INFO_LINE       equ 16
INFO_MODULES    equ 20
INFO_MODULE     equ 24
INFO_MAP_LENGTH equ 44
INFO_MAP        equ 48

HAS_SIZES       equ 1 << 0
HAS_MAP         equ 1 << 6

ENTRY           equ 24                  ; with its size field
RAM             equ 1
RESERVED        equ 2
LITTLE          equ 5 << 20
MANY            equ 2000

bits 32
section .text
        align 4
        dd MAGIC, FLAGS, -(MAGIC + FLAGS)

global start
start:
        cld
        mov esp, stack_top
        mov [information], ebx
        cmp dword [ebx + INFO_MODULES], 0
        je halt
        mov eax, [ebx + INFO_MODULE]
        mov [module], eax
        call load
        mov ebx, [information]
        call spoil

        ; The hypervisor's command line is its module's; the other modules move up.
        mov eax, [module]
        mov ecx, [eax + 8]
        mov [ebx + INFO_LINE], ecx
        dec dword [ebx + INFO_MODULES]
        add dword [ebx + INFO_MODULE], 16
        mov eax, HANDOVER
        jmp [entry]
halt:   cli
        hlt
        jmp halt

; Puts the segments of the first module where they belong.
load:
        mov ebp, [module]
        mov ebp, [ebp]                  ; the file
        cmp dword [ebp], 0x464C457F
        jne halt
        mov eax, [ebp + 24]
        mov [entry], eax
        mov ebx, [ebp + 28]
        add ebx, ebp                    ; program headers
        movzx edx, word [ebp + 44]
.next:  cmp dword [ebx], 1
        jne .skip
        mov esi, [ebx + 4]
        add esi, ebp
        mov edi, [ebx + 12]
        mov ecx, [ebx + 16]
        rep movsb
        mov ecx, [ebx + 20]
        sub ecx, [ebx + 16]
        xor eax, eax
        rep stosb
.skip:  movzx eax, word [ebp + 42]
        add ebx, eax
        dec edx
        jnz .next
        ret

; ebx: the loader's information
spoil:
        mov esi, [ebx + INFO_LINE]
.scan:  cmp byte [esi], 0
        je .done
        cmp dword [esi], 'map='
        je .found
        inc esi
        jmp .scan
.found: mov eax, [esi + 4]
        mov edi, [ebx + INFO_MAP]
        mov ecx, [ebx + INFO_MAP_LENGTH]
        add ecx, edi                    ; the end of the map
        cmp eax, 'none'
        je .none
        cmp eax, 'empt'
        je .empty
        cmp eax, 'nora'
        je .noram
        cmp eax, 'litt'
        je .little
        cmp eax, 'long'
        je .long
        cmp eax, 'size'
        je .size
        cmp eax, 'tang'
        je tangle
.done:  ret

.none:  and dword [ebx + INFO_FLAGS], ~(HAS_SIZES | HAS_MAP)
        ret

.empty: and dword [ebx + INFO_FLAGS], ~HAS_SIZES
        mov dword [ebx + INFO_MAP_LENGTH], 0
        ret

.noram: mov dword [edi + 20], RESERVED
        add edi, ENTRY
        cmp edi, ecx
        jb .noram
        ret

.little:
        cmp dword [edi + 20], RAM
        jne .keep
        cmp dword [edi + 8], 0          ; above 4 GiB
        jne .none_of_it
        cmp dword [edi + 4], LITTLE
        jae .none_of_it
        mov eax, [edi + 4]
        add eax, [edi + 12]
        cmp eax, LITTLE
        jbe .keep
        mov eax, LITTLE
        sub eax, [edi + 4]
        mov [edi + 12], eax
        jmp .keep
.none_of_it:
        mov dword [edi + 20], RESERVED
.keep:  add edi, ENTRY
        cmp edi, ecx
        jb .little
        ret

.long:  mov edi, map
        mov ecx, MANY
        xor eax, eax
.entry: mov dword [edi], ENTRY - 4
        mov [edi + 4], eax
        mov dword [edi + 8], 0
        mov dword [edi + 12], 0x1000
        mov dword [edi + 16], 0
        mov dword [edi + 20], RAM
        add eax, 0x2000
        add edi, ENTRY
        loop .entry
        jmp use_map

.size:  mov dword [edi], 7
        ret

; edi, ecx: the map's beginning and end
tangle:
        mov esi, ecx
        mov edx, edi
        mov edi, map
.back:  sub esi, ENTRY                  ; from the last to the first
        push esi
        mov ecx, ENTRY / 4
        rep movsd
        pop esi
        cmp esi, edx
        ja .back
        mov ecx, [ebx + INFO_MAP_LENGTH]
        mov esi, edx
        rep movsb                       ; and once more as they were
        mov esi, odd
        mov ecx, odd_end - odd
        rep movsb

use_map:
        mov dword [ebx + INFO_MAP], map
        sub edi, map
        mov [ebx + INFO_MAP_LENGTH], edi
        ret

%macro region 3                         ; base, length, type
        dd ENTRY - 4
        dq %1, %2
        dd %3
%endmacro

section .data
odd:
        region 0x500000000000, 0, RAM                   ; empty
        region 0xFFFFFFFFFFFFE000, 0xFFFF000, RESERVED  ; beyond the end of all addresses
        region 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, 77
        region 0xF0000, 0x20000, RAM                    ; half of it is the firmware's
        region 0x6000123, 0x10, 5                       ; a bad spot: its page cannot be used
        region 0x2000800, 0x800, RAM                    ; half a page of what is RAM anyway
odd_end:

section .bss
information:    resd 1
module:         resd 1
entry:          resd 1
stack:          resb 4096
stack_top:
map:            resb MANY * ENTRY
