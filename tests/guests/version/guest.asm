; SPDX-License-Identifier: MIT
; xen_version: every sub-operation fills what its structure promises, and bad pointers and numbers are refused.

%include "runtime.inc"

FEATURES_REQUIRED equ 1 << 5 | 1 << 7           ; mmu_update keeps A/D, spare bits in grant maps: Linux insists

main:
        HYPERCALL XEN_VERSION, 0, 0
        EXPECT rax, 4 << 16 | 17, "the version is 4.17"

        HYPERCALL XEN_VERSION, 1, buffer
        EXPECT rax, 0, "extraversion is told"
        mov ecx, 16
        call terminated
        HYPERCALL XEN_VERSION, 2, buffer
        EXPECT rax, 0, "compile_info is told"
        mov rdi, buffer + 64
        mov ecx, 16
        call terminated_at
        mov qword [buffer + 144], 0x5A5A
        HYPERCALL XEN_VERSION, 2, buffer
        EXPECT [buffer + 144], 0x5A5A, "compile_info is no longer than its structure"

        HYPERCALL XEN_VERSION, 3, buffer
        EXPECT rax, 0, "capabilities are told"
        mov rax, "xen-3.0-"
        EXPECT [buffer], rax, "the first capability is xen-3.0"
        mov rax, "x86_64"
        mov rcx, [buffer + 8]
        shl rcx, 16
        shr rcx, 16
        EXPECT rcx, rax, "of x86_64"
        mov ecx, 1024
        call terminated
        HYPERCALL XEN_VERSION, 4, buffer
        EXPECT rax, 0, "changeset is told"
        mov ecx, 64
        call terminated

        HYPERCALL XEN_VERSION, 5, buffer
        EXPECT rax, 0, "platform parameters are told"
        mov rax, HYPERVISOR_START
        EXPECT [buffer], rax, "the hypervisor begins where the header says"

        mov dword [buffer], 0
        HYPERCALL XEN_VERSION, 6, buffer
        EXPECT rax, 0, "features are told"
        mov eax, [buffer + 4]
        and eax, FEATURES_REQUIRED
        EXPECT rax, FEATURES_REQUIRED, "the features that Linux insists on are there"
        mov eax, [buffer + 4]
        and eax, 1 << 2
        EXPECT rax, 0, "a PV guest is not auto-translated"
        mov eax, [buffer + 4]
        shr eax, 11
        and eax, 1
        EXPECT rax, [is_privileged], "the feature dom0 is there for Domain-0 only"
        mov dword [buffer], 1000
        HYPERCALL XEN_VERSION, 6, buffer
        EXPECT rax, EINVAL, "there is no 1000th word of features"

        HYPERCALL XEN_VERSION, 7, 0
        EXPECT rax, 4096, "the page size needs no argument"
        HYPERCALL XEN_VERSION, 8, buffer
        EXPECT rax, 0, "the handle is told"
        HYPERCALL XEN_VERSION, 9, buffer
        EXPECT rax, 0, "the command line is told"
        mov ecx, 1024
        call terminated

        HYPERCALL XEN_VERSION, 99, buffer
        EXPECT rax, ENOSYS, "there is no 99th operation"
        HYPERCALL XEN_VERSION, 6, 0x1000
        EXPECT rax, EFAULT, "a pointer to nothing is refused"
        mov rax, HYPERVISOR_START
        HYPERCALL XEN_VERSION, 3, rax
        EXPECT rax, EFAULT, "a pointer into the hypervisor is refused"
        mov rax, HYPERVISOR_END - 8
        HYPERCALL XEN_VERSION, 3, rax
        EXPECT rax, EFAULT, "a pointer to the hypervisor's end is refused"
        mov rax, 0x8000000000000000
        HYPERCALL XEN_VERSION, 3, rax
        EXPECT rax, EFAULT, "a pointer that is not canonical is refused"
        ret

; The text in the buffer ends within ecx bytes.
terminated:
        mov rdi, buffer
terminated_at:
        xor eax, eax
        repne scasb
        EXPECT_FLAG e, "texts end with a zero byte"
        ret

section .bss
buffer: resb 2048
