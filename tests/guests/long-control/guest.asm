; SPDX-License-Identifier: MIT
; Long calls of the tools give way as those of guests do (long-calls): a domain is filled by the page and by the extent, and
; destroyed.

%define ROUNDS 10
%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "clock.inc"
%include "late.inc"

DOMCTL_VERSION  equ 0x15
CREATE_DOMAIN   equ 1
DESTROY_DOMAIN  equ 2
MAX_MEM         equ 11
C_MAX_VCPUS     equ 16 + 0x1C
C_MAX_EVTCHN    equ 16 + 0x20
C_GRANT_FRAMES  equ 16 + 0x24
C_MAPTRACK      equ 16 + 0x28
PAGES           equ 4096
EXTENTS         equ 32
EXTENT_ORDER    equ 9

main:   cmp qword [is_privileged], 0
        jne .go
        SKIP "this is not Domain-0"
.go:    call late_start
        mov qword [reservation], extents
        MEASURE "destroydomain of 64 MiB", destroy_call
        MEASURE "populate_physmap of 4096 for another domain", pages_call
        MEASURE "populate_physmap of 32 times 512 for another domain", extents_call
        call destroy
        ret

destroy_call:
        call new_domain
        mov qword [reservation + 8], EXTENTS
        mov dword [reservation + 16], EXTENT_ORDER
        call number_extents
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, reservation
        REQUIRE rax, EXTENTS, "a domain is filled"
        call destroy_request
        REQUEST DOMCTL, domctl
        ret
pages_call:
        call destroy
        call new_domain
        call page_request
        REQUEST MEMORY_OP, POPULATE_PHYSMAP, reservation, 0, 0, PAGES
        ret
extents_call:
        call destroy
        call new_domain
        mov qword [reservation + 8], EXTENTS
        mov dword [reservation + 16], EXTENT_ORDER
        call number_extents
        REQUEST MEMORY_OP, POPULATE_PHYSMAP, reservation, 0, 0, EXTENTS
        ret
; A domain with room for 64 MiB; the last one, if there is one, was destroyed before.
new_domain:
        mov rdi, domctl
        xor eax, eax
        mov ecx, 18
        rep stosq
        mov dword [domctl], CREATE_DOMAIN
        mov dword [domctl + 4], DOMCTL_VERSION
        mov dword [domctl + C_MAX_VCPUS], 1
        mov dword [domctl + C_MAX_EVTCHN], 255
        mov dword [domctl + C_GRANT_FRAMES], 4
        mov dword [domctl + C_MAPTRACK], 4
        HYPERCALL DOMCTL, domctl
        REQUIRE rax, 0, "a domain"
        movzx eax, word [domctl + 8]
        mov [domain], eax
        mov [reservation + 24], eax
        mov dword [domctl], MAX_MEM
        mov qword [domctl + 16], 64 * 1024
        HYPERCALL DOMCTL, domctl
        REQUIRE rax, 0, "its size"
        ret
destroy:
        cmp dword [domain], 0
        je .none
        call destroy_request
.again: HYPERCALL DOMCTL, domctl
        cmp rax, EAGAIN
        je .again
.none:  ret
destroy_request:
        mov dword [domctl], DESTROY_DOMAIN
        mov dword [domctl + 4], DOMCTL_VERSION
        mov eax, [domain]
        mov [domctl + 8], eax
        ret
page_request:
        mov qword [reservation + 8], PAGES
        mov dword [reservation + 16], 0
        xor eax, eax
.page:  mov [extents + rax * 8], rax
        inc eax
        cmp eax, PAGES
        jb .page
        ret
number_extents:
        xor eax, eax
.one:   mov ecx, eax
        shl ecx, EXTENT_ORDER
        mov [extents + rax * 8], rcx
        inc eax
        cmp eax, EXTENTS
        jb .one
        ret

section .bss
alignb 4096
extents: resq PAGES
domctl: resq 18
reservation: resq 4
domain: resd 2
