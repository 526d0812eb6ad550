; SPDX-License-Identifier: MIT
; One leaf routine for each import of Machine (System V calling convention), in the order of Machine.Cpu.cs.

%include "offsets.inc"
%include "fixup.inc"
%include "vector_save.inc"

section .text progbits alloc exec nowrite align=16

%macro LEAF 1
        align 16
global %1
%1:
%endmacro

LEAF cpu_in8
        mov edx, edi
        xor eax, eax
        in al, dx
        ret
LEAF cpu_in16
        mov edx, edi
        xor eax, eax
        in ax, dx
        ret
LEAF cpu_in32
        mov edx, edi
        in eax, dx
        ret
LEAF cpu_out8
        mov edx, edi
        mov eax, esi
        out dx, al
        ret
LEAF cpu_out16
        mov edx, edi
        mov eax, esi
        out dx, ax
        ret
LEAF cpu_out32
        mov edx, edi
        mov eax, esi
        out dx, eax
        ret
LEAF cpu_cpuid
        push rbx
        mov r8, rdx
        mov eax, edi
        mov ecx, esi
        cpuid
        mov [r8], eax
        mov [r8 + 4], ebx
        mov [r8 + 8], ecx
        mov [r8 + 12], edx
        pop rbx
        ret
LEAF cpu_rdmsr
        mov ecx, edi
        rdmsr
        shl rdx, 32
        or rax, rdx
        ret
LEAF cpu_wrmsr
        mov ecx, edi
        mov eax, esi
        mov rdx, rsi
        shr rdx, 32
        wrmsr
        ret
LEAF cpu_rdmsr_safe
        mov ecx, edi
.try:   rdmsr
        FIXUP .try, .fail
        shl rdx, 32
        or rax, rdx
        mov [rsi], rax
        mov eax, 1
        ret
.fail:  xor eax, eax
        ret
LEAF cpu_wrmsr_safe
        mov ecx, edi
        mov eax, esi
        mov rdx, rsi
        shr rdx, 32
.try:   wrmsr
        FIXUP .try, .fail
        mov eax, 1
        ret
.fail:  xor eax, eax
        ret
LEAF cpu_rdtsc
        rdtsc
        shl rdx, 32
        or rax, rdx
        ret
LEAF cpu_read_cr0
        mov rax, cr0
        ret
LEAF cpu_write_cr0
        mov cr0, rdi
        ret
LEAF cpu_read_cr2
        mov rax, cr2
        ret
LEAF cpu_read_cr3
        mov rax, cr3
        ret
LEAF cpu_write_cr3
        mov cr3, rdi
        ret
LEAF cpu_read_cr4
        mov rax, cr4
        ret
LEAF cpu_write_cr4
        mov cr4, rdi
        ret
LEAF cpu_read_dr
        xor eax, eax
        cmp edi, 0
        je .r0
        cmp edi, 1
        je .r1
        cmp edi, 2
        je .r2
        cmp edi, 3
        je .r3
        cmp edi, 6
        je .r6
        mov rax, dr7
        ret
.r0:    mov rax, dr0
        ret
.r1:    mov rax, dr1
        ret
.r2:    mov rax, dr2
        ret
.r3:    mov rax, dr3
        ret
.r6:    mov rax, dr6
        ret
LEAF cpu_write_dr
        cmp edi, 0
        je .r0
        cmp edi, 1
        je .r1
        cmp edi, 2
        je .r2
        cmp edi, 3
        je .r3
        cmp edi, 6
        je .r6
        mov dr7, rsi
        ret
.r0:    mov dr0, rsi
        ret
.r1:    mov dr1, rsi
        ret
.r2:    mov dr2, rsi
        ret
.r3:    mov dr3, rsi
        ret
.r6:    mov dr6, rsi
        ret
LEAF cpu_invlpg
        invlpg [rdi]
        ret
LEAF cpu_pause
        pause
        ret
LEAF cpu_fence
        mfence
        lfence
        ret
LEAF cpu_lgdt
        lgdt [rdi]
        ret
LEAF cpu_lidt
        lidt [rdi]
        ret
LEAF cpu_lldt
        lldt di
        ret
LEAF cpu_ltr
        ltr di
        ret
LEAF cpu_interrupt_window
        sti
        nop
        cli
        ret
LEAF cpu_idle
        sti
        hlt
        cli
        ret
LEAF cpu_halt_forever
        cli
.again: hlt
        jmp .again
LEAF cpu_clts
        clts
        ret
LEAF cpu_wbinvd
        wbinvd
        ret
; (area, mask or 0, vectors): no C# runs between the reload of the guest's registers and the save
LEAF cpu_save_extended_state
        LOAD_VECTORS rdx, SAVED_VECTORS
        mov rax, rsi
        test rsi, rsi
        jz .legacy
        mov rdx, rsi
        shr rdx, 32
        xsave64 [rdi]
        ret
.legacy:
        fxsave64 [rdi]
        ret
LEAF cpu_restore_extended_state
        mov r8, rdx
        mov rax, rsi
        test rsi, rsi
        jz .legacy
        mov rdx, rsi
        shr rdx, 32
.try:   xrstor64 [rdi]
        FIXUP .try, .reset
.done:  STORE_VECTORS r8, SAVED_VECTORS
        ret
.legacy:
        fxrstor64 [rdi]
        FIXUP .legacy, .reset_legacy
        jmp .done
.reset: push rax
        push rdx
        push rdi
        mov rcx, (512 + 64) / 8
        xor eax, eax
        rep stosq
        pop rdi
        mov dword [rdi], 0x37F
        mov dword [rdi + 24], 0x1F80
        pop rdx
        pop rax
        jmp .try
.reset_legacy:
        push rdi
        mov rcx, 512 / 8
        xor eax, eax
        rep stosq
        pop rdi
        mov dword [rdi], 0x37F
        mov dword [rdi + 24], 0x1F80
        jmp .legacy
; Between guest kernel and guest user mode: the other GS base, the other root. Returns CpuInfo.
LEAF cpu_switch_guest_mode
        swapgs
        mov cr3, rdi
        mov rax, rsp
        and rax, -(1 << MemoryLayout_PerCpuShift)
        add rax, MemoryLayout_PerCpuInfo
        mov [rax + CpuInfo_Cr3], rdi
        ret
LEAF cpu_xsetbv
        xor ecx, ecx
        mov eax, edi
        mov rdx, rdi
        shr rdx, 32
        xsetbv
        ret
LEAF cpu_bsf
        bsf rax, rdi
        ret
LEAF cpu_bsr
        bsr rax, rdi
        ret
LEAF cpu_multiply_shift32
        mov rax, rdi
        mul rsi
        shrd rax, rdx, 32
        ret
LEAF cpu_divide128
        mov rcx, rdx
        mov rdx, rdi
        mov rax, rsi
        div rcx
        ret
LEAF memcmp_equal
        mov rcx, rdx
        cmp rcx, rcx                        ; equal when there is nothing to compare
        repe cmpsb
        sete al
        movzx eax, al
        ret
LEAF cpu_test_and_set_bit
        lock bts [rdi], rsi
        setc al
        movzx eax, al
        ret
LEAF cpu_test_and_clear_bit
        lock btr [rdi], rsi
        setc al
        movzx eax, al
        ret
LEAF cpu_info
        mov rax, rsp
        and rax, -(1 << MemoryLayout_PerCpuShift)
        add rax, MemoryLayout_PerCpuInfo
        ret

; Selector loads of a guest: false, with a null selector loaded, where the processor refuses.
%macro LOAD_SELECTOR 1
LEAF cpu_load_%1
.try:   mov %1, edi
        FIXUP .try, .fail
        mov eax, 1
        ret
.fail:  xor eax, eax
        mov %1, eax
        ret
LEAF cpu_read_%1
        mov eax, %1
        ret
%endmacro
LOAD_SELECTOR ds
LOAD_SELECTOR es
LOAD_SELECTOR fs

; GS of guest user mode: the base behind SWAPGS must stay the kernel's.
LEAF cpu_load_gs
        swapgs
.try:   mov gs, edi
        FIXUP .try, .fail
        mfence
        swapgs
        mov eax, 1
        ret
.fail:  xor eax, eax
        mov gs, eax
        swapgs
        ret
LEAF cpu_read_gs
        mov eax, gs
        ret
; As cpu_load_gs, for the base that is in use.
LEAF cpu_load_gs_current
.try:   mov gs, edi
        FIXUP .try, .fail
        mov eax, 1
        ret
.fail:  xor eax, eax
        mov gs, eax
        ret

; Continues on another stack, which never returns: (function, argument, stack pointer)
LEAF cpu_continue_on
        mov rsp, rdx
        xor ebp, ebp
        mov rax, rdi
        mov rdi, rsi
        call rax
        ud2
LEAF cpu_frame_pointer
        mov rax, rbp
        ret
