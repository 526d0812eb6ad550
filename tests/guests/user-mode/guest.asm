; SPDX-License-Identifier: MIT
; User mode: the way there by iret, back by SYSCALL, INT 80h and faults; which stack and which frame the kernel finds; ports.

%include "runtime.inc"
%include "memory.inc"
%include "rawtrap.inc"
%include "usermode.inc"

        RAW_HANDLER 6
        RAW_HANDLER 13
        RAW_HANDLER 14
        RAW_HANDLER 128
        RAW_HANDLER 99

; IN_USER label: runs the user code at label; the kernel goes on here when that code enters it.
%macro IN_USER 1
        CATCH %%back
        mov rax, USER_CODE + %1 - user_entry
        call enter_user_at
%%back:
%endmacro

main:
        mov qword [user_data + 8], 0x5EC2E7
        call user_tables
        EXPECT rax, 0, "user page tables are accepted"
        HYPERCALL SET_TRAP_TABLE, raw_table
        EXPECT rax, 0, "the trap table is accepted"
        mov dword [callback_request], CALLBACK_SYSCALL | CALLBACKF_MASK_EVENTS << 16
        mov qword [callback_request + 8], raw_handler_99
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, callback_request
        EXPECT rax, 0, "the callback for system calls is accepted"
        HYPERCALL STACK_SWITCH, FLAT_SS, kernel_stack_top
        EXPECT rax, 0, "stack_switch is accepted"

        mov ebx, 0xBBBB
        mov r9d, 0x9999
        IN_USER user_entry
        EXPECT [raw_vector], 99, "SYSCALL reaches the kernel's callback"
        EXPECT rbx, 0xBBBC, "rbx goes to user mode and back"
        EXPECT r9, 0x9999, "r9 goes to user mode and back"
        EXPECT [raw_rax], 0x5EC2E7, "user code reads user data, and its rax comes back"
        EXPECT [raw_frame + F_RIP], USER_CODE + user_after_syscall - user_entry, "rip is behind SYSCALL"
        EXPECT [raw_frame + F_RCX], [raw_frame + F_RIP], "rcx is what SYSCALL makes of it"
        movzx eax, word [raw_frame + F_CS]
        EXPECT rax, FLAT_CS64, "cs has RPL 3: the kernel sees that it was user mode"
        mov rax, [raw_frame + F_RFLAGS]
        and eax, 0x200
        EXPECT rax, 0x200, "user mode runs with upcalls on"
        EXPECT [raw_frame + F_RSP], USER_DATA + 4096 - 16, "rsp is the user's"
        movzx eax, word [raw_frame + F_SS]
        EXPECT rax, FLAT_SS, "ss is the user's"
        EXPECT [raw_mask], 1, "the callback's flag masks upcalls"
        mov rax, kernel_stack_top
        sub rax, [raw_stack]
        cmp rax, 7 * 8
        EXPECT_FLAG ae, "the frame is on the stack of stack_switch"
        cmp rax, 9 * 8
        EXPECT_FLAG be, "at its top"

        IN_USER user_int80
        EXPECT [raw_vector], 128, "INT 80h reaches its trap"
        EXPECT [raw_frame + F_RCX], 0x4444, "rcx is the user's own"
        EXPECT [raw_frame + F_R11], 0x6666, "r11 is the user's own"
        EXPECT [raw_frame + F_RIP], USER_CODE + user_after_int80 - user_entry, "rip is behind INT 80h"
        movzx eax, word [raw_frame + F_CS]
        EXPECT rax, FLAT_CS64, "cs has RPL 3 after INT 80h"

        IN_USER user_reads_nothing
        EXPECT [raw_vector], 14, "a user's page fault reaches the kernel"
        EXPECT [raw_frame + FE_ERROR], 4, "of user mode, for reading, not present"
        EXPECT [shared_info + VI_CR2], 0x1000, "vcpu_info has the user's address"
        movzx eax, word [raw_frame + FE_CS]
        EXPECT rax, FLAT_CS64, "cs has RPL 3 in a fault's frame"
        IN_USER user_writes_code
        EXPECT [raw_vector], 14, "user code is not writable"
        EXPECT [raw_frame + FE_ERROR], 7, "of user mode, for writing, present"
        IN_USER user_reads_kernel
        EXPECT [raw_vector], 14, "user mode does not see the kernel"
        EXPECT [raw_frame + FE_ERROR], 4, "which is not mapped there"
        IN_USER user_reads_hypervisor
        EXPECT [raw_vector], 14, "user mode does not see the hypervisor"
        mov rax, [raw_frame + FE_ERROR]
        and eax, ~1
        EXPECT rax, 4, "as in any fault of user mode"

        IN_USER user_cli
        EXPECT [raw_vector], 13, "CLI is refused in user mode"
        IN_USER user_hlt
        EXPECT [raw_vector], 13, "HLT is refused in user mode"
        IN_USER user_rdmsr
        EXPECT [raw_vector], 13, "RDMSR is refused in user mode"
        IN_USER user_cr3
        EXPECT [raw_vector], 13, "MOV from CR3 is refused in user mode"
        IN_USER user_out
        EXPECT [raw_vector], 13, "OUT is refused in user mode"
        IN_USER user_ud
        EXPECT [raw_vector], 6, "an invalid opcode of user mode reaches the kernel"
        EXPECT [raw_frame + F_RIP], USER_CODE + user_ud - user_entry, "with its rip"

        call io_bitmap

        ; An unmapped kernel stack would be the end; a moved one is used.
        HYPERCALL STACK_SWITCH, FLAT_SS, second_stack_top
        EXPECT rax, 0, "stack_switch again"
        IN_USER user_ud
        mov rax, second_stack_top
        sub rax, [raw_stack]
        cmp rax, 9 * 8
        EXPECT_FLAG be, "the stack of the last stack_switch counts"
        ret

; BITMAP address, ports: the answer in rax.
%macro BITMAP 2
        mov rax, %1
        mov [bitmap_request], rax
        mov dword [bitmap_request + 8], %2
        HYPERCALL PHYSDEV_OP, SET_IOBITMAP, bitmap_request
%endmacro
; PERMITTED "when" and REFUSED "when": the access to ports 80h to 83h, or just to 80h.
%macro PERMITTED 2+
        IN_USER %1
        EXPECT [raw_vector], 99, "a port can be reached ", %2
%endmacro
%macro REFUSED 2+
        IN_USER %1
        EXPECT [raw_vector], 13, "no port can be reached ", %2
%endmacro

; The kernel's bitmap of ports lies in its own memory. Ports that user mode may use are absent nevertheless.
io_bitmap:
        BITMAP bitmap, 0x84
        EXPECT rax, 0, "a bitmap of ports is taken"
        PERMITTED user_in, "that the bitmap permits"
        EXPECT8 [raw_rax], 0xFF, "and nothing is there"
        PERMITTED user_in_4, "and its three neighbours"
        BITMAP bitmap, 0x83
        REFUSED user_in_4, "when the bitmap ends within it"
        mov byte [bitmap + 0x10], 8             ; port 83h
        BITMAP bitmap, 0x84
        REFUSED user_in_4, "of four, one of which is closed"
        PERMITTED user_in, "below that one"
        mov byte [bitmap + 0x10], 1
        REFUSED user_in, "that the bitmap closes"
        mov byte [bitmap + 0x10], 0
        BITMAP bitmap, 0x80
        REFUSED user_in, "beyond the bitmap"
        BITMAP 0x1000, 0x10000
        EXPECT rax, 0, "a bitmap that is nowhere is as good as any"
        REFUSED user_in, "by a bitmap that is nowhere"
        mov rbx, 0x8000000000000000
        BITMAP rbx, 0x10000
        REFUSED user_in, "by a bitmap at no address"
        mov rbx, HYPERVISOR_START
        BITMAP rbx, 0x10000
        EXPECT rax, EINVAL, "a bitmap in the hypervisor is refused"
        mov rbx, HYPERVISOR_START - 8
        BITMAP rbx, 0x10000
        EXPECT rax, EINVAL, "as is one that reaches into it"
        BITMAP bitmap, 0x10001
        EXPECT rax, EINVAL, "there are 65,536 ports"
        BITMAP 0, 0
        EXPECT rax, 0, "the bitmap is taken away"
        REFUSED user_in, "without a bitmap"
        mov qword [bitmap_request], 3
        HYPERCALL PHYSDEV_OP, SET_IOPL, bitmap_request
        EXPECT rax, 0, "IOPL 3 can be had"
        PERMITTED user_in, "with IOPL 3"
        EXPECT8 [raw_rax], 0xFF, "and nothing is there, either"
        mov qword [bitmap_request], 0
        HYPERCALL PHYSDEV_OP, SET_IOPL, bitmap_request
        EXPECT rax, 0, "and given up"
        REFUSED user_in, "with IOPL 0"
        ret

enter_user_at:
        push FLAT_SS
        push USER_DATA + 4096
        push 0x202
        push FLAT_CS64
        push rax
        push 0
        push 0
        push 0
        push 0
        mov eax, IRET_CALL
        syscall

section .user alloc exec nowrite align=4096
user_entry:
        push rax
        push rax
        mov rax, [USER_DATA + 8]
        inc rbx
        syscall
user_after_syscall:
        ud2
user_int80:
        mov ecx, 0x4444
        mov r11d, 0x6666
        int 0x80
user_after_int80:
        ud2
user_reads_nothing:
        mov eax, 0x1000
        mov eax, [rax]
        ud2
user_writes_code:
        mov eax, USER_CODE
        mov [rax], eax
        ud2
user_reads_kernel:
        mov rax, main
        mov eax, [rax]
        ud2
user_reads_hypervisor:
        mov rax, HYPERVISOR_START + (2 << 39)
        mov eax, [rax]
        ud2
user_cli:
        cli
        ud2
user_hlt:
        hlt
        ud2
user_rdmsr:
        mov ecx, 0xC0000080
        rdmsr
        ud2
user_cr3:
        mov rax, cr3
        ud2
user_out:
        out 0x80, al
        ud2
user_in:
        in al, 0x80
        syscall
        ud2
user_in_4:
        in eax, 0x80
        syscall
        ud2
user_ud:
        ud2
        align 4096, db 0xCC

section .data
align 16
raw_table:
        RAW_ENTRY 6, 4
        RAW_ENTRY 13, 4
        RAW_ENTRY 14, 4
        RAW_ENTRY 128, 3
        dq 0, 0

section .bss
alignb 4096
second_stack:   resb 4096
second_stack_top:
bitmap: resb 8192
bitmap_request: resq 2
callback_request: resq 2
