; SPDX-License-Identifier: MIT
; SYSCALL from a guest: kernel mode makes a hypercall, user mode a system call that bounces to the guest's kernel.
;
; SYSCALL leaves the guest's rsp in place. Each CPU's LSTAR points to the trampoline page inside its own per-CPU block;
; the page is the same physical page everywhere, since all it touches lies at the same distance in every block.
; Interrupts are off (FMASK) and stay off: the hypervisor takes them at its preemption points.
;
; Only what C# may clobber is saved: the System V convention keeps rbx, rbp and r12–r15. Should the way back turn into
; a switch to another vCPU, they are saved first.

%include "entry.inc"
%include "fixup.inc"

extern hypercall_from_guest
extern syscall_from_guest
extern deliver_upcall
extern return_work

section .trampoline progbits alloc exec nowrite align=4096
global syscall_trampoline
syscall_trampoline:
%define BLOCK(offset) (syscall_trampoline - MemoryLayout_PerCpuSyscallCode + (offset))
        mov [rel BLOCK(MemoryLayout_PerCpuInfo + CpuInfo_Guest + CpuUserRegs_Rsp)], rsp
        lea rsp, [rel BLOCK(MemoryLayout_PerCpuInfo + CpuInfo_Guest)]
        jmp qword [rel BLOCK(MemoryLayout_PerCpuData)]

global syscall32_trampoline
syscall32_trampoline:
        mov [rel BLOCK(MemoryLayout_PerCpuInfo + CpuInfo_Guest + CpuUserRegs_Rsp)], rsp
        lea rsp, [rel BLOCK(MemoryLayout_PerCpuInfo + CpuInfo_Guest)]
        jmp qword [rel BLOCK(MemoryLayout_PerCpuData + 8)]

section .text progbits alloc exec nowrite align=16

        align 64
global syscall_entry
syscall_entry:
        mov [rsp + FRAME(Rcx)], rcx
        mov [rsp + FRAME(Rip)], rcx
        mov [rsp + FRAME(R11)], r11
        mov [rsp + FRAME(Rflags)], r11
        mov dword [rsp + FRAME(Cs)], FLAT_USER_CS64
        mov dword [rsp + FRAME(Ss)], FLAT_USER_SS
.common:
        mov [rsp + FRAME(Rax)], rax
        mov [rsp + FRAME(Rdi)], rdi
        mov [rsp + FRAME(Rsi)], rsi
        mov [rsp + FRAME(Rdx)], rdx
        mov [rsp + FRAME(R10)], r10
        mov [rsp + FRAME(R8)], r8
        mov [rsp + FRAME(R9)], r9
        mov dword [rsp + FRAME(EntryVector)], ENTRY_SYSCALL
        CLEAR_TASK_SWITCHED
        SAVE_VECTORS
        mov rdi, [rsp + INFO(Current)]
        mov rsi, rsp
        sub rsp, STACK_GAP
        cmp byte [rdi + Vcpu_InKernelMode], 0
        je .user
        call hypercall_from_guest
        add rsp, STACK_GAP
        jmp return_partial
.user:  call syscall_from_guest
        add rsp, STACK_GAP

; Back to the guest from a frame whose rbx, rbp, r12–r15 are still in the processor.
        align 16
return_partial:
        mov rdi, [rsp + INFO(Current)]
        mov rax, [rdi + Vcpu_Info]
        mov ecx, [rdi + Vcpu_Work]
        or ecx, [rsp + INFO(SoftIrqPending)]
        jnz .work
        cmp word [rax], 1                   ; pending and not masked?
        je .upcall
.restore:
        RESTORE_VECTORS
        SET_TASK_SWITCHED
.general:
        mov rdx, [rsp + FRAME(Rdx)]
        mov rsi, [rsp + FRAME(Rsi)]
        mov rdi, [rsp + FRAME(Rdi)]
        mov r8, [rsp + FRAME(R8)]
        mov r9, [rsp + FRAME(R9)]
        mov r10, [rsp + FRAME(R10)]
        test dword [rsp + FRAME(EntryVector)], ENTRY_SYSCALL
        jz .iret
        mov rcx, [rsp + FRAME(Rip)]
        mov rax, rcx
        sar rax, 47                         ; SYSRET to an address that is not canonical faults in ring 0
        inc eax
        cmp eax, 1
        ja .iret
        cmp word [rsp + FRAME(Cs)], FLAT_USER_CS64
        jne .iret
        mov rax, [rsp + FRAME(Rax)]
        mov r11, [rsp + FRAME(Rflags)]
        mov rsp, [rsp + FRAME(Rsp)]
        o64 sysret
.iret:  mov rax, [rsp + FRAME(Rax)]
        mov rcx, [rsp + FRAME(Rcx)]
        mov r11, [rsp + FRAME(R11)]
        add rsp, FRAME(Rip)
        jmp return_iretq

.upcall:
        mov rsi, rsp
        sub rsp, STACK_GAP
        call deliver_upcall
        add rsp, STACK_GAP
        jmp .restore

.work:  mov [rsp + FRAME(R15)], r15
        mov [rsp + FRAME(R14)], r14
        mov [rsp + FRAME(R13)], r13
        mov [rsp + FRAME(R12)], r12
        mov [rsp + FRAME(Rbp)], rbp
        mov [rsp + FRAME(Rbx)], rbx
        jmp return_full.work

; Back to the guest from a frame that holds everything.
        align 16
global return_full
return_full:
        mov rdi, [rsp + INFO(Current)]
        mov rax, [rdi + Vcpu_Info]
        mov ecx, [rdi + Vcpu_Work]
        or ecx, [rsp + INFO(SoftIrqPending)]
        jnz .work
        cmp word [rax], 1
        je .upcall
.restore:
        RESTORE_VECTORS
        SET_TASK_SWITCHED
        mov r15, [rsp + FRAME(R15)]
        mov r14, [rsp + FRAME(R14)]
        mov r13, [rsp + FRAME(R13)]
        mov r12, [rsp + FRAME(R12)]
        mov rbp, [rsp + FRAME(Rbp)]
        mov rbx, [rsp + FRAME(Rbx)]
        jmp return_partial.general

.upcall:
        mov rsi, rsp
        sub rsp, STACK_GAP
        call deliver_upcall
        add rsp, STACK_GAP
        jmp .restore

; Soft interrupts, the scheduler, NMIs: C# changes the frame, CpuInfo.Current and VectorSave as it likes.
.work:  mov rdi, [rsp + INFO(Current)]
        mov rsi, rsp
        sub rsp, STACK_GAP
        call return_work
        add rsp, STACK_GAP
        jmp .restore

; First entry into a guest: the frame and CpuInfo.Current are ready. Called by C#, does not return. rdi = CpuInfo
global enter_guest
enter_guest:
        lea rsp, [rdi + CpuInfo_Guest]
        jmp return_full

; The one IRETQ to guests. It may fault (the frame is the guest's wish): trap_entry turns that into the guest's fault.
global return_iretq
return_iretq:
        iretq

; SYSCALL from 32-bit code of guest user space (AMD): bounced as such.
        align 16
global syscall32_entry
syscall32_entry:
        mov [rsp + FRAME(Rcx)], rcx
        mov [rsp + FRAME(Rip)], rcx
        mov [rsp + FRAME(R11)], r11
        mov [rsp + FRAME(Rflags)], r11
        mov dword [rsp + FRAME(Cs)], 0xE023
        mov dword [rsp + FRAME(Ss)], FLAT_USER_SS
        mov [rsp + FRAME(Rax)], rax
        mov [rsp + FRAME(Rdi)], rdi
        mov [rsp + FRAME(Rsi)], rsi
        mov [rsp + FRAME(Rdx)], rdx
        mov [rsp + FRAME(R10)], r10
        mov [rsp + FRAME(R8)], r8
        mov [rsp + FRAME(R9)], r9
        mov dword [rsp + FRAME(EntryVector)], 0
        CLEAR_TASK_SWITCHED
        SAVE_VECTORS
        mov rdi, [rsp + INFO(Current)]
        mov rsi, rsp
        sub rsp, STACK_GAP
        extern syscall32_from_guest
        call syscall32_from_guest
        add rsp, STACK_GAP
        jmp return_partial
