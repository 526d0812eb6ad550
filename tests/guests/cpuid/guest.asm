; SPDX-License-Identifier: MIT
; CPUID as a guest kernel asks for it, behind the prefix that forces emulation: the hypervisor's own leaves, and nothing
; in the processor's leaves that a paravirtual guest could not use.

%include "runtime.inc"

%macro CPUID 1-2 0
        mov eax, %1
        mov ecx, %2
        ud2
        db "xen"
        cpuid
%endmacro

; FEATURE_OFF register, bit, "promise"
%macro FEATURE_OFF 3
        bt %1, %2
        EXPECT_FLAG nc, %3
%endmacro
%macro FEATURE_ON 3
        bt %1, %2
        EXPECT_FLAG c, %3
%endmacro

main:
        mov r9, 0x1234567812345678
        mov r12, rsp
        stc
        CPUID 0x40000000
        EXPECT_FLAG c, "flags are kept"
        EXPECT rsp, r12, "rsp is kept"
        mov r12d, eax
        EXPECT rbx, "XenV", "the signature begins with XenV"
        EXPECT rcx, "MMXe", "goes on with MMXe"
        EXPECT rdx, "nVMM", "and ends with nVMM"
        sub r12d, 0x40000000
        cmp r12d, 2
        EXPECT_FLAG ae, "there are at least two leaves behind it"
        cmp r12d, 0x100
        EXPECT_FLAG b, "and no more than fit"
        CPUID 0x40000001
        EXPECT rax, 4 << 16 | 17, "the version is in the first leaf"
        CPUID 0x40000002
        EXPECT_NOT rax, 0, "there are hypercall pages"
        EXPECT rbx, 0x40000000, "the register for the hypercall page is told"
        FEATURE_ON ecx, 0, "mmu_update keeps A/D"
        mov r13d, 0x40000100
.scan:  CPUID r13d
        mov ecx, ecx
        or eax, ebx
        or eax, ecx
        or eax, edx
        EXPECT rax, 0, "there is no second hypervisor"
        add r13d, 0x100
        cmp r13d, 0x40001000
        jb .scan

        CPUID 0
        mov r12d, eax
        cmp eax, 1
        EXPECT_FLAG ae, "there are feature leaves"
        CPUID 1
        FEATURE_ON ecx, 31, "there is a hypervisor"
        FEATURE_OFF ecx, 5, "VMX is hidden"
        FEATURE_OFF ecx, 17, "PCID is hidden"
        FEATURE_OFF ecx, 24, "the deadline timer is hidden"
        FEATURE_ON edx, 0, "there is an FPU"
        FEATURE_ON edx, 25, "there is SSE"
        FEATURE_ON edx, 26, "there is SSE2"
        FEATURE_ON edx, 6, "there is PAE"
        ; OSXSAVE shows what the kernel has switched on.
        bt ecx, 26
        jnc .structured
        mov rax, cr4
        bts rax, 18
        mov cr4, rax
        CPUID 1
        FEATURE_ON ecx, 27, "OSXSAVE shows when CR4 has it"
.structured:
        cmp r12d, 7
        jb .extended
        CPUID 7
        FEATURE_OFF ebx, 7, "SMEP is hidden"
        FEATURE_OFF ebx, 20, "SMAP is hidden"
        FEATURE_OFF ebx, 10, "INVPCID is hidden"
        FEATURE_OFF ebx, 1, "TSC_ADJUST is hidden"
        FEATURE_OFF ecx, 16, "five-level tables are hidden"
.extended:
        CPUID 0x80000000
        mov r13d, eax
        cmp eax, 0x80000001
        EXPECT_FLAG ae, "there are extended leaves"
        CPUID 0x80000001
        FEATURE_ON edx, 29, "there is long mode"
        FEATURE_ON edx, 11, "there is SYSCALL"
        FEATURE_ON edx, 20, "there is NX"
        FEATURE_OFF edx, 26, "gigabyte pages are hidden"
        FEATURE_OFF ecx, 2, "SVM is hidden"
        cmp r13d, 0x80000008
        jb .prefix
        CPUID 0x80000008
        movzx eax, al
        cmp eax, 36
        EXPECT_FLAG ae, "physical addresses have at least 36 bits"
        cmp eax, 52
        EXPECT_FLAG be, "and at most 52"

.prefix:
        ; The prefix alone is no instruction.
        TRY_BEGIN
        ud2
        db "xem"
        TRY_END
        EXPECT [trap_vector], 6, "another prefix is an invalid opcode"
        TRY_BEGIN
        ud2
        db "xen"
        nop
        nop
        TRY_END
        EXPECT [trap_vector], 6, "the prefix before another instruction is an invalid opcode"
        ret
