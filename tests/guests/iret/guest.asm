; SPDX-License-Identifier: MIT
; The hypercall iret within the kernel: which registers come from the frame, what happens to flags and upcall mask.

%include "runtime.inc"

%macro FRAME 7                                  ; rax, r11, rcx, flags, rip, cs, rflags; the stack stays
        mov [saved_stack], rsp
        push FLAT_SS
        push qword [saved_stack]
        push %7
        push %6
        push %5
        push %4
        push %3
        push %2
        push %1
        mov eax, IRET_CALL
        syscall
%endmacro

main:
        mov ebx, 0xBBBB
        mov ebp, 0x5555
        mov r12d, 0xCCCC
        mov r9d, 0x9999
        FRAME 0x1111, 0x2222, 0x3333, 0, .whole, FLAT_CS64 & ~3, 0x202
        FAILURE "iret does not return"
.whole:
        EXPECT rax, 0x1111, "rax is from the frame"
        EXPECT r11, 0x2222, "r11 is from the frame"
        EXPECT rcx, 0x3333, "rcx is from the frame"
        EXPECT rbx, 0xBBBB, "rbx is kept"
        EXPECT rbp, 0x5555, "rbp is kept"
        EXPECT r12, 0xCCCC, "r12 is kept"
        EXPECT r9, 0x9999, "r9 is kept"
        EXPECT rsp, [saved_stack], "rsp is from the frame"
        mov eax, cs
        EXPECT rax, FLAT_CS64, "cs runs at RPL 3 again"
        EXPECT8 [shared_info + VI_MASK], 0, "IF in the frame unmasks upcalls"

        FRAME 1, 2, 3, 0, .masked, FLAT_CS64 & ~3, 0x002
.masked:
        EXPECT8 [shared_info + VI_MASK], 1, "no IF in the frame masks upcalls"
        pushfq
        pop rax
        and eax, 0x200
        EXPECT rax, 0x200, "the real interrupt flag stays on"

        ; SYSRET's way: rcx and r11 are rip and rflags.
        FRAME 0x1111, 0x2222, 0x3333, VGCF_IN_SYSCALL, .fast, FLAT_CS64 & ~3, 0x202
.fast:  mov [saved_flags], r11
        EXPECT rax, 0x1111, "rax is from the frame on the short way"
        EXPECT rcx, .fast, "rcx is rip on the short way"
        mov rax, [saved_flags]
        and eax, 0x202
        EXPECT rax, 0x202, "r11 is rflags on the short way"
        EXPECT rsp, [saved_stack], "rsp is from the frame on the short way"
        EXPECT8 [shared_info + VI_MASK], 0, "IF unmasks upcalls on the short way"

        ; Flags that a guest may not have are taken away: IOPL 3, VM, and IF cannot be cleared.
        FRAME 1, 2, 3, 0, .flags, FLAT_CS64 & ~3, 0x23ED7 & ~0x100
.flags: pushfq
        pop rax
        mov rbx, rax
        and eax, 0x20000
        EXPECT rax, 0, "VM is not set"
        mov rax, rbx
        and eax, 0x8D5
        EXPECT rax, 0x8D5, "arithmetic flags are set"
        mov rax, rbx
        and eax, 0x400
        EXPECT rax, 0x400, "DF is set"
        cld
        mov rax, rbx
        and eax, 0x200
        EXPECT rax, 0x200, "IF is on"

        ; CLI is for kernels that have the I/O privilege, and then it does nothing.
        mov qword [saved_flags], 1
        HYPERCALL PHYSDEV_OP, 6, saved_flags
        EXPECT rax, 0, "the kernel may set its virtual IOPL"

        ; Privileges: with real IOPL 3 this would turn interrupts off for the whole machine.
        FRAME 1, 2, 3, 0, .iopl, FLAT_CS64 & ~3, 0x3202
.iopl:  cli
        pushfq
        pop rax
        and eax, 0x200
        EXPECT rax, 0x200, "CLI after an iret with IOPL 3 does not clear IF"

        ; An iret that the processor refuses becomes an exception of the guest.
        TRY_BEGIN
        FRAME 1, 2, 3, 0, .never, 0x1238, 0x202
.never: FAILURE "a selector beyond the table was loaded into cs"
        TRY_END
        EXPECT [trap_vector], 13, "a selector beyond the table is a protection fault"
        TRY_BEGIN
        mov rax, 0x8000000000000000
        mov [bad_target], rax
        FRAME 1, 2, 3, VGCF_IN_SYSCALL, qword [bad_target], FLAT_CS64 & ~3, 0x202
        TRY_END
        EXPECT [trap_vector], 13, "a target that is not canonical is a protection fault, in the guest"
        ret

section .bss
saved_stack:    resq 1
saved_flags:    resq 1
bad_target:     resq 1
