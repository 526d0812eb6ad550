; SPDX-License-Identifier: MIT
; What is Domain-0's is refused to others, with the error that they expect.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"

main:
        cmp qword [is_privileged], 0
        je .go
        SKIP "this is Domain-0"
.go:
        ; domctl, sysctl: version 15h in the first word, then the operation and the domain.
        mov r13d, 1
.domctl:
        mov rdi, request
        xor eax, eax
        mov ecx, 32
        rep stosq
        mov dword [request], 0x15
        mov [request + 4], r13d
        HYPERCALL DOMCTL, request
        test rax, rax
        EXPECT_FLAG s, "domctl is refused"
        inc r13d
        cmp r13d, 90
        jb .domctl
        mov dword [request], 0x15
        mov dword [request + 4], 5              ; getdomaininfo
        mov dword [request + 8], 0
        HYPERCALL DOMCTL, request
        EXPECT rax, EPERM, "getdomaininfo of Domain-0 is refused"
        mov dword [request + 4], 2              ; destroydomain
        call own_domain
        mov [request + 8], eax
        HYPERCALL DOMCTL, request
        EXPECT rax, EPERM, "not even oneself can be destroyed"
        mov dword [request + 4], 4              ; unpausedomain
        mov dword [request + 8], 0
        HYPERCALL DOMCTL, request
        test rax, rax
        EXPECT_FLAG s, "nobody is unpaused"

        mov r13d, 1
.sysctl:
        mov dword [request], 0x15
        mov [request + 4], r13d
        HYPERCALL SYSCTL, request
        test rax, rax
        EXPECT_FLAG s, "sysctl is refused"
        inc r13d
        cmp r13d, 32
        jb .sysctl
        mov dword [request], 0x15
        mov dword [request + 4], 3              ; physinfo
        HYPERCALL SYSCTL, request
        EXPECT rax, EPERM, "physinfo is refused"

        mov r13d, 1
.platform:
        mov [request], r13d
        mov dword [request + 4], 0x03000001
        HYPERCALL PLATFORM_OP, request
        EXPECT rax, EPERM, "platform_op is refused"
        inc r13d
        cmp r13d, 64
        jb .platform

        ; Devices.
        mov qword [request], 0
        mov qword [request + 8], 0
        mov dword [request], DOMID_SELF
        mov dword [request + 4], 1              ; a GSI
        HYPERCALL PHYSDEV_OP, 13, request       ; map_pirq
        test rax, rax
        EXPECT_FLAG s, "an interrupt is not mapped"
        HYPERCALL PHYSDEV_OP, 21, request       ; setup_gsi
        test rax, rax
        EXPECT_FLAG s, "an interrupt is not set up"
        HYPERCALL PHYSDEV_OP, 25, request       ; pci_device_add
        test rax, rax
        EXPECT_FLAG s, "a device is not added"
        HYPERCALL PHYSDEV_OP, 8, request        ; apic_read
        test rax, rax
        EXPECT_FLAG s, "the I/O APIC is not read"
        HYPERCALL PHYSDEV_OP, 9, request        ; apic_write
        test rax, rax
        EXPECT_FLAG s, "the I/O APIC is not written"
        mov qword [event_op], 4
        mov dword [event_op + 8], 0
        HYPERCALL EVENT_CHANNEL_OP, 2, event_op ; bind_pirq
        test rax, rax
        EXPECT_FLAG s, "an interrupt is not bound"

        ; Other domains, other domains' memory.
        mov dword [event_op], DOMID_SELF << 16
        HYPERCALL EVENT_CHANNEL_OP, ALLOC_UNBOUND, event_op
        EXPECT rax, EPERM, "no port is allocated in Domain-0"
        mov dword [event_op], 0
        mov dword [event_op + 4], 1
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_STATUS, event_op
        test rax, rax
        EXPECT_FLAG s, "Domain-0's ports are not told"
        FRAME_OF page
        mov [mmuext_op + 8], rax
        mov dword [mmuext_op], PIN_L1
        HYPERCALL MMUEXT_OP, mmuext_op, 1, 0, 0
        test rax, rax
        EXPECT_FLAG s, "nothing is pinned for Domain-0"
        mov rdi, page
        call entry_of
        mov [mmu_request], rdx
        mov rcx, [rax]
        mov [mmu_request + 8], rcx
        HYPERCALL MMU_UPDATE, mmu_request, 1, 0, 0
        test rax, rax
        EXPECT_FLAG s, "no frames of Domain-0 are mapped"
        HYPERCALL MMU_UPDATE, mmu_request, 1, 0, DOMID_XEN
        test rax, rax
        EXPECT_FLAG s, "none of the hypervisor's"
        HYPERCALL UPDATE_VA_OTHER, page, 0, 0, 0
        test rax, rax
        EXPECT_FLAG s, "no entry of Domain-0 is changed"
        mov word [request], 0
        HYPERCALL MEMORY_OP, CURRENT_RESERVATION, request
        test rax, rax
        EXPECT_FLAG s, "Domain-0's reservation is not told"
        mov qword [request], 16
        mov qword [request + 8], buffer
        HYPERCALL MEMORY_OP, 10, request        ; machine_memory_map
        EXPECT rax, EPERM, "the machine's memory map is refused"
        HYPERCALL CONSOLE_IO, 1, 8, buffer
        EXPECT rax, EPERM, "the console is not read"
        mov dword [request], 0                  ; poweroff of Domain-0
        HYPERCALL SCHED_OP, 4, request          ; remote_shutdown
        test rax, rax
        EXPECT_FLAG s, "nobody else is shut down"
        ret

section .bss
alignb 4096
page:   resb 4096
buffer: resb 4096
request: resq 40
