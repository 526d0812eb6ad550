; SPDX-License-Identifier: MIT
; Exceptions and interrupts: 256 stubs, all of which make a frame of the CpuUserRegs shape.
;
; From a guest the processor starts pushing at TSS.RSP0, so that its five words complete CpuInfo.Guest. From the
; hypervisor (a faulting access to guest memory, a preemption point, the idle loop, NMI) the frame lies wherever the stack is.
; #DB, NMI, #DF and #MC come on stacks of their own (IST); from a guest they move to the main stack at once.
;
; A selector of privilege 0 with RFLAGS.VM set is a guest as well. No processor knows virtual-8086 mode in long mode; QEMU's
; emulation enters it by an IRET of 32-bit user code that sets the flag. Such a frame gets a null selector of privilege 3 and
; loses the flag, on the hypervisor's branch, where no guest of a real processor pays for it.

%include "entry.inc"

extern trap_from_guest
extern interrupt_from_guest
extern trap_from_hypervisor
extern interrupt_in_hypervisor
extern nmi_in_hypervisor
extern return_full
extern return_iretq

RFLAGS_VM_BYTE          equ 2               ; VM is bit 17: bit 1 of this byte
RFLAGS_VM_BIT           equ 2

section .text progbits alloc exec nowrite align=16

; Makes an ordinary frame of user mode of one of virtual-8086 mode, and jumps. (frame's CS, frame's RFLAGS, target)
%macro GUEST_IF_VIRTUAL_8086 3
        test byte [%2 + RFLAGS_VM_BYTE], RFLAGS_VM_BIT
        jz %%ordinary
        and byte [%2 + RFLAGS_VM_BYTE], ~RFLAGS_VM_BIT & 0xFF
        mov qword [%1], 3
        jmp %3
%%ordinary:
%endmacro

%macro PUSH_REGISTERS 0
        sub rsp, 120
        mov [rsp + FRAME(R15)], r15
        mov [rsp + FRAME(R14)], r14
        mov [rsp + FRAME(R13)], r13
        mov [rsp + FRAME(R12)], r12
        mov [rsp + FRAME(Rbp)], rbp
        mov [rsp + FRAME(Rbx)], rbx
        mov [rsp + FRAME(R11)], r11
        mov [rsp + FRAME(R10)], r10
        mov [rsp + FRAME(R9)], r9
        mov [rsp + FRAME(R8)], r8
        mov [rsp + FRAME(Rax)], rax
        mov [rsp + FRAME(Rcx)], rcx
        mov [rsp + FRAME(Rdx)], rdx
        mov [rsp + FRAME(Rsi)], rsi
        mov [rsp + FRAME(Rdi)], rdi
%endmacro

%macro POP_REGISTERS 0
        mov r15, [rsp + FRAME(R15)]
        mov r14, [rsp + FRAME(R14)]
        mov r13, [rsp + FRAME(R13)]
        mov r12, [rsp + FRAME(R12)]
        mov rbp, [rsp + FRAME(Rbp)]
        mov rbx, [rsp + FRAME(Rbx)]
        mov r11, [rsp + FRAME(R11)]
        mov r10, [rsp + FRAME(R10)]
        mov r9, [rsp + FRAME(R9)]
        mov r8, [rsp + FRAME(R8)]
        mov rax, [rsp + FRAME(Rax)]
        mov rcx, [rsp + FRAME(Rcx)]
        mov rdx, [rsp + FRAME(Rdx)]
        mov rsi, [rsp + FRAME(Rsi)]
        mov rdi, [rsp + FRAME(Rdi)]
        add rsp, FRAME(Rip)
%endmacro

; Vectors with an error code: 8, 10–14, 17, 21, 29, 30.
%assign vector 0
%rep 256
        align 16
trap_%+vector:
  %if vector = 8 || (vector >= 10 && vector <= 14) || vector = 17 || vector = 21 || vector = 29 || vector = 30
  %else
        push 0
  %endif
        mov dword [rsp + 4], vector
  %if vector = 1 || vector = 2 || vector = 8 || vector = 18
        jmp ist_entry
  %elif vector < 32
        jmp exception_entry
  %else
        jmp interrupt_entry
  %endif
%assign vector vector + 1
%endrep

        align 64
exception_entry:
        PUSH_REGISTERS
        cld
        CLAC_IF_SMAP
        test byte [rsp + FRAME(Cs)], 3
        jz .hypervisor
.guest: CLEAR_TASK_SWITCHED
        SAVE_VECTORS
        mov rdi, [rsp + INFO(Current)]
        mov rsi, rsp
        mov rdx, cr2                        ; means something with #PF only
        sub rsp, STACK_GAP
        call trap_from_guest
        add rsp, STACK_GAP
        jmp return_full
.hypervisor:
        GUEST_IF_VIRTUAL_8086 rsp + FRAME(Cs), rsp + FRAME(Rflags), .guest
        lea rax, [rel return_iretq]
        cmp [rsp + FRAME(Rip)], rax
        je guest_iret_fault
        mov rdi, rsp
        mov rbp, rsp
        and rsp, -16
        sub rsp, 64
        STORE_VECTORS rsp, SAVED_VECTORS
        call trap_from_hypervisor
        LOAD_VECTORS rsp, SAVED_VECTORS
        mov rsp, rbp
        POP_REGISTERS
        iretq

; IRETQ to a guest has faulted. At that instruction rsp pointed to Guest.Rip and every other register was the guest's. The fault
; becomes one of the guest at the address it wanted to go to: registers as in this frame, Rip… as in Guest.
guest_iret_fault:
        mov rax, [rsp + FRAME(ErrorCode)]   ; error code and vector in one word
        mov rdx, [rsp + FRAME(Rsp)]         ; address of Guest.Rip
        sub rdx, FRAME(Rip)                 ; Guest; it overlaps this frame, which lies lower
        mov [rsp - 8], rax                  ; below both; only IST entries could come now
        ; Copy fifteen registers upwards, last first.
        mov ecx, 14
.copy:  mov rax, [rsp + rcx * 8]
        mov [rdx + rcx * 8], rax
        dec ecx
        jns .copy
        mov rax, [rsp - 8]
        mov [rdx + FRAME(ErrorCode)], rax
        mov rsp, rdx
        jmp exception_entry.guest

        align 64
interrupt_entry:
        PUSH_REGISTERS
        cld
        CLAC_IF_SMAP
        test byte [rsp + FRAME(Cs)], 3
        jz .hypervisor
.guest: CLEAR_TASK_SWITCHED
        SAVE_VECTORS
        mov rdi, [rsp + INFO(Current)]
        mov rsi, rsp
        sub rsp, STACK_GAP
        call interrupt_from_guest
        add rsp, STACK_GAP
        jmp return_full
.hypervisor:
        GUEST_IF_VIRTUAL_8086 rsp + FRAME(Cs), rsp + FRAME(Rflags), .guest
        mov edi, [rsp + FRAME(EntryVector)]
        mov rbp, rsp
        and rsp, -16
        sub rsp, 64
        STORE_VECTORS rsp, SAVED_VECTORS
        call interrupt_in_hypervisor
        LOAD_VECTORS rsp, SAVED_VECTORS
        mov rsp, rbp
        POP_REGISTERS
        iretq

        align 16
ist_entry:
        test byte [rsp + 16], 3             ; CS
        jz .hypervisor
        cmp byte [rsp + 4], 8
        je .hypervisor
        ; From a guest: move the six words to the main stack and go on as an ordinary exception.
        push rax
        push rcx
        mov rcx, rsp
        and rcx, -(1 << MemoryLayout_PerCpuShift)
        lea rcx, [rcx + MemoryLayout_PerCpuInfo + CpuInfo_Guest]
%assign word 0
%rep 6
        mov rax, [rsp + 16 + word * 8]
        mov [rcx + FRAME(ErrorCode) + word * 8], rax
%assign word word + 1
%endrep
        mov rax, [rsp + 8]
        xchg rcx, [rsp]                     ; guest's rcx back, frame address on the old stack
        mov rsp, [rsp]
        add rsp, FRAME(ErrorCode)
        jmp exception_entry
.hypervisor:
        GUEST_IF_VIRTUAL_8086 rsp + 16, rsp + 24, ist_entry
        PUSH_REGISTERS
        cld
        CLAC_IF_SMAP                        ; it may have struck a routine that has user pages open; IRETQ opens them again
        mov rdi, rsp
        mov rbp, rsp
        and rsp, -16
        sub rsp, 80
        mov rax, cr0
        mov [rsp + 64], rax
        clts
        STORE_VECTORS rsp, SAVED_VECTORS
        call nmi_in_hypervisor
        LOAD_VECTORS rsp, SAVED_VECTORS
        mov rax, [rsp + 64]
        test al, 8
        jz .task_switched_clear
        mov cr0, rax
.task_switched_clear:
        mov rsp, rbp
        POP_REGISTERS
        iretq

section .rodata progbits alloc noexec nowrite align=16
; Addresses of the stubs, from which C# fills the IDT.
global trap_stubs
trap_stubs:
%assign vector 0
%rep 256
        dq trap_%+vector
%assign vector vector + 1
%endrep
