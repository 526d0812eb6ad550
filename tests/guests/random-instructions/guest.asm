; SPDX-License-Identifier: MIT
; Instructions that chance wrote, run in user mode with registers, flags, selectors, stack and address of chance, over
; descriptor tables, segment bases and breakpoints of chance. Whatever happens there comes back as an exception, a system
; call or a tick of the timer; the kernel goes on behind the instruction where that was, with other registers and another frame, and after
; sixteen writes others. It never meets an exception without a handler, so a round
; that does not come back is the hypervisor's fault.
;
; The command line may hold a seed, decimal.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"
%include "random.inc"
%include "rawtrap.inc"
%include "usermode.inc"

%ifndef INSTRUCTIONS
%define INSTRUCTIONS 200000
%endif
PIECES          equ 16
FRAME_RIP       equ kernel_stack_top - 40       ; of whatever comes back from user mode
SET_LOCAL_TABLE equ 8
CALLBACK_SYSCALL32 equ 7

%macro CALLBACK 2
        mov dword [callback], %1 | CALLBACKF_MASK_EVENTS << 16
        mov qword [callback + 8], %2
        HYPERCALL CALLBACK_OP, CALLBACKOP_REGISTER, callback
%endmacro

main:
        mov [main_stack], rsp
        call random_start
        mov [state], r13
        call user_tables
        REQUIRE rax, 0, "user page tables"
        PAGE_FLAGS gdt, READ_ONLY_PAGE
        REQUIRE rax, 0, "a page for a GDT"
        PAGE_FLAGS ldt, READ_ONLY_PAGE
        REQUIRE rax, 0, "a page for an LDT"
        FRAME_OF gdt
        mov [gdt_frames], rax
        shl rax, 12
        mov [gdt_address], rax
        FRAME_OF ldt
        shl rax, 12
        mov [ldt_address], rax
        HYPERCALL SET_GDT, gdt_frames, 512
        REQUIRE rax, 0, "a GDT"
        MMUEXT SET_LDT, ldt, 512
        REQUIRE rax, 0, "an LDT"
        CALLBACK CALLBACK_SYSCALL, by_syscall
        REQUIRE rax, 0, "a callback for system calls"
        CALLBACK CALLBACK_FAILSAFE, by_failsafe
        REQUIRE rax, 0, "a callback for bad selectors"
        CALLBACK CALLBACK_EVENT, by_event
        REQUIRE rax, 0, "a callback for events"
        CALLBACK CALLBACK_SYSCALL32, by_syscall     ; not every processor has it
        HYPERCALL STACK_SWITCH, FLAT_SS, kernel_stack_top
        mov dword [event_op], VIRQ_TIMER
        mov dword [event_op + 4], 0
        HYPERCALL EVENT_CHANNEL_OP, BIND_VIRQ, event_op
        REQUIRE rax, 0, "the timer's VIRQ"
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        mov qword [period], 2000000             ; what loops for ever does so for two milliseconds
        HYPERCALL VCPU_OP, VCPUOP_SET_PERIODIC, 0, period
        REQUIRE rax, 0, "a periodic timer"
        HYPERCALL SET_TRAP_TABLE, hostile_traps
        REQUIRE rax, 0, "the trap table"

; The stack is whatever it was, upcalls are masked.
next:   mov rsp, kernel_stack_top
        cld
        mov r13, [state]
        mov eax, INSTRUCTIONS
        cmp [executed], rax
        jae finish
        cmp dword [place], 0
        jne .frame

        ; What stays from round to round.
        CHOOSE 4
        jnz .bases
        call anything
        mov rbp, rax
        CHOOSE 8
        mov ebx, eax
        HYPERCALL SET_DEBUGREG, rbx, rbp
.bases: CHOOSE 4
        jnz .tables
        call anything
        mov rbp, rax
        CHOOSE 4
        mov ebx, eax
        HYPERCALL SET_SEGMENT_BASE, rbx, rbp
.tables:
        CHOOSE 2
        jnz .local
        call descriptor
        mov rbp, rax
        CHOOSE 16
        mov rbx, [gdt_address]
        lea rbx, [rbx + rax * 8]
        CHOOSE 2
        jz .update
        add rbx, [ldt_address]
        sub rbx, [gdt_address]
.update:
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rbp
        test rax, rax
        jnz .local
        inc qword [descriptors]
.local: CHOOSE 32
        jnz .switched
        CHOOSE 4
        mov ebx, [local_sizes + rax * 4]
        mov rbp, ldt
        test eax, 1
        jz .set
        call anything
        mov rbp, rax
.set:   MMUEXT SET_LDT, rbp, rbx
.switched:
        CHOOSE 16
        jnz .code
        CHOOSE 2
        mov ebx, eax
        HYPERCALL FPU_TASKSWITCH, rbx

        ; Sixteen pieces of code, each an instruction from the list or bytes of chance, and no end. The whole page is
        ; written: what an emulator has translated of it, by all the ways that led there, it would keep and look through at
        ; each write.
.code:  mov rdi, user_entry
        mov rax, 0xCCCCCCCCCCCCCCCC
        mov ecx, 512
        rep stosq
        mov rdi, user_entry
        mov ebp, PIECES
.piece: mov eax, PIECES
        sub eax, ebp
        mov rcx, rdi
        sub rcx, user_entry
        mov [starts + rax * 4], ecx
        CHOOSE 4
        jz .bytes
        call random
        xor edx, edx
        mov ecx, NASTY
        div ecx
        movzx esi, byte [nasty_at + rdx]
        movzx ecx, byte [nasty_at + rdx + 1]
        sub ecx, esi
        add rsi, nasty
        rep movsb
        jmp .more
.bytes: call random
        mov [rdi], eax
        call random
        mov [rdi + 4], eax
        CHOOSE 8
        lea rdi, [rdi + rax + 1]
.more:  dec ebp
        jnz .piece
        mov rcx, rdi
        sub rcx, user_entry
        mov [starts + PIECES * 4], ecx
        mov word [rdi], 0x050F                  ; SYSCALL, or for ever
        CHOOSE 64
        jnz .frame
        mov word [rdi], 0xFEEB

        ; The frame.
.frame: call selector
        mov [frame_ss], rax
        call anything
        mov [frame_rsp], rax
        CHOOSE 4
        jz .stack
        mov qword [frame_rsp], USER_DATA + 2048
.stack: call random
        mov ecx, eax
        and ecx, 0x244DD7
        CHOOSE 4
        jz .flags
        and ecx, ~0x40100
.flags: or ecx, 0x200
        mov [frame_rflags], rcx
        CHOOSE 4
        mov ecx, FLAT_CS64
        jnz .cs
        call selector
        mov ecx, eax
        or ecx, 3                               ; not to the kernel
.cs:    mov [frame_cs], rcx
        mov eax, [place]
        mov eax, [starts + rax * 4]
        add rax, USER_CODE
        mov [frame_rip], rax
        mov qword [FRAME_RIP], 0
        CHOOSE 16
        jnz .rip
        call anything
        mov [frame_rip], rax
.rip:   CHOOSE 2
        shl eax, 8                              ; by SYSRET, perhaps
        mov [frame_flags], rax
        call anything
        mov [frame_rcx], rax
        call anything
        mov [frame_rax], rax

        ; Selectors: those that cannot be loaded make an exception of the kernel's, which ends the round as well.
        CHOOSE 4
        jnz .registers
        call selector
        mov ds, eax
        call selector
        mov es, eax
        call selector
        mov fs, eax
        call selector
        mov gs, eax
.registers:
        inc qword [entered]
        call anything
        mov rbx, rax
        call anything
        mov rbp, rax
        call anything
        mov rsi, rax
        call anything
        mov rdi, rax
        call anything
        mov rdx, rax
        call anything
        mov r8, rax
        mov r9, r13
        mov [state], r13
        mov rsp, frame_rax
        mov eax, IRET_CALL
        syscall
        FAILURE "iret comes back"

by_event:
        mov byte [shared_info + VI_PENDING], 0
        mov qword [shared_info + VI_SELECTOR], 0
        mov qword [shared_info + SH_PENDING], 0
        inc qword [ticks]
        jmp back
by_failsafe:
        inc qword [failsafes]
        jmp back
by_syscall:
        inc qword [calls]
        sub qword [FRAME_RIP], 2                ; that of the instruction
        jmp back
by_trap:
        inc qword [traps]
back:   call .state
        call count
        jmp next
.state: mov r13, [state]                        ; one step on, in case the round came to no iret
        call random
        mov [state], r13
        ret

; Adds what was executed, one at least, and goes on behind it. What stands at the very address of the frame may have been
; executed or not, after INT n: it does not count.
count:  mov eax, 1
        mov rcx, [FRAME_RIP]
        sub rcx, USER_CODE
        cmp rcx, 4096
        jae .add                                ; not in the code: the same place again
        mov edx, PIECES
.find:  cmp [starts + rdx * 4], ecx
        jbe .found
        dec edx
        jnz .find
.found: mov eax, edx
        sub eax, [place]
        cmp [starts + rdx * 4], ecx
        je .begun
        inc eax
.begun: cmp eax, 1
        jge .some
        mov eax, 1
.some:  inc edx
        xor ecx, ecx
        cmp edx, PIECES
        cmovae edx, ecx
        mov [place], edx
.add:   add [executed], rax
        ret

finish: mov rsp, [main_stack]
        HYPERCALL SET_DEBUGREG, 7, 0
        mov rbx, reports
.line:  mov rdi, [rbx]
        mov rdi, [rdi]
        call print_number
        mov rdi, [rbx + 8]
        mov rsi, [rbx + 16]
        call print
        add rbx, 24
        cmp rbx, reports_end
        jb .line
        EXPECT_NOT [calls], 0, "some system calls came back"
        EXPECT_NOT [traps], 0, "some exceptions came back"
        EXPECT_NOT [ticks], 0, "some loops were ended by the timer"
        EXPECT_NOT [descriptors], 0, "some descriptors were accepted"
        HYPERCALL SET_TRAP_TABLE, trap_table
        EXPECT rax, 0, "the trap table is taken back"
        HYPERCALL SET_GDT, gdt_frames, 0
        EXPECT rax, 0, "the GDT is given up"
        MMUEXT SET_LDT, 0, 0
        EXPECT rax, 0, "the LDT is given up"
        PAGE_FLAGS gdt, WRITABLE_PAGE
        EXPECT rax, 0, "the GDT's page is a page again"
        PAGE_FLAGS ldt, WRITABLE_PAGE
        EXPECT rax, 0, "the LDT's page is a page again"
        ret

; An address or number, in rax. Destroys rcx.
anything:
        CHOOSE 16
        mov rcx, [bases + rax * 8]
        call random
        and eax, 0xFFF
        add rax, rcx
        test rcx, rcx
        jnz .done
        mov rcx, rax
        call random
        shl rcx, 32
        xor rax, rcx
.done:  ret

; A selector of chance, in rax.
selector:
        CHOOSE 4
        jz .any
        CHOOSE 256                              ; of the first 32 entries of either table
        ret
.any:   call random
        movzx eax, ax
        ret

; A descriptor, in rax: mostly present, of code or data, and not for ring 3 alone.
descriptor:
        call random
        mov rcx, rax
        call random
        shl rcx, 32
        or rax, rcx
        mov rcx, rax
        and ecx, 7
        jz .done
        bts rax, 47
        test ecx, 4
        jz .done
        bts rax, 44
.done:  ret

%macro HOSTILE_ENTRY 2
        db %1, %2 | 4
        dw FLAT_CS64
        dd 0
        dq by_trap
%endmacro

section .rodata
%assign count 0
%macro PIECE 1+
piece_%[count]: %1
%assign count count + 1
%endmacro
nasty:
        PIECE syscall
        PIECE sysenter
        PIECE int 0x80
        PIECE int 3
        PIECE int 2
        PIECE int 8
        PIECE int 14
        PIECE int 0x20
        PIECE int 0xF8
        PIECE int 0xFF
        PIECE mov ss, ebx
        PIECE mov ss, [rsp]
        PIECE mov ds, esi
        PIECE mov fs, edi
        PIECE mov gs, edx
        PIECE iretq
        PIECE db 0x48, 0xCB                     ; RETF
        PIECE popfq
        PIECE pushfq
        PIECE mov rax, cr0
        PIECE mov cr3, rax
        PIECE mov cr4, rdi
        PIECE mov rax, dr7
        PIECE mov dr7, rsi
        PIECE mov dr0, rdx
        PIECE rdmsr
        PIECE wrmsr
        PIECE rdpmc
        PIECE xgetbv
        PIECE xsetbv
        PIECE in al, dx
        PIECE out dx, eax
        PIECE insb
        PIECE rep outsd
        PIECE cli
        PIECE sti
        PIECE hlt
        PIECE lgdt [rdi]
        PIECE lidt [rsi]
        PIECE sgdt [rsp]
        PIECE sidt [rsp]
        PIECE lldt bx
        PIECE ltr bx
        PIECE sldt ebx
        PIECE str ebx
        PIECE lar eax, ebx
        PIECE lsl eax, ebx
        PIECE verr bx
        PIECE invlpg [rdi]
        PIECE swapgs
        PIECE o64 sysret
        PIECE clts
        PIECE wbinvd
        PIECE ud2
        PIECE fxrstor [rsp]
        PIECE fninit
        PIECE xrstor [rsp]
        PIECE ldmxcsr [rsp]
        PIECE movups xmm0, [rsp]
        PIECE wrfsbase rbx
        PIECE rdgsbase rbx
        PIECE cpuid
        PIECE rdtscp
        PIECE mov [rdi], rax
        PIECE mov rax, [rsi]
        PIECE jmp rbx
        PIECE push rbx
        PIECE db 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0xF3, 0x0F, 0xA2
        PIECE db 0x0F, 0x0B, "xen", 0x0F, 0xA2  ; CPUID by the interface's prefix
        PIECE db 0x66, 0xEF
        PIECE nop
nasty_end:
NASTY   equ count
%if nasty_end - nasty > 255
  %error "places are bytes"
%endif
nasty_at:
%assign index 0
%rep count
        db piece_%[index] - nasty
%assign index index + 1
%endrep
        db nasty_end - nasty

align 8
bases:  dq 0, 0, USER_CODE, USER_CODE, USER_DATA, USER_DATA, USER_DATA, 0x00007FFFFFFFF800
        dq 0xFFFF7FFFFFFFF800, HYPERVISOR_START, HYPERVISOR_END - 0x800, 0xFFFFFFFFFFFFF800, user_data
        dq 0xC0000000, 0x8000000000000000, 1
%macro REPORT 2+
        dq %1, %%text, %%length
[section .data]
%%text: db %2
%%length equ $ - %%text
__?SECT?__
%endmacro
reports:
        REPORT executed, " instructions, "
        REPORT entered, " times into user mode, "
        REPORT traps, " exceptions, "
        REPORT calls, " system calls, "
        REPORT ticks, " ticks, "
        REPORT failsafes, " bad selectors, "
        REPORT descriptors, " descriptors accepted", 10
reports_end:
local_sizes: dd 512, 8192, 0, 0xFFFFFFFF

section .user alloc exec write align=4096
user_entry:
        times 4096 db 0xCC

section .data
align 16
hostile_traps:
%assign vector 0
%rep 20
        HOSTILE_ENTRY vector, 0
%assign vector vector + 1
%endrep
        HOSTILE_ENTRY 0x20, 3
        HOSTILE_ENTRY 0x80, 3
        HOSTILE_ENTRY 0xF8, 3
        dq 0, 0

section .bss
alignb 4096
gdt:    resb 4096
ldt:    resb 4096
alignb 8
state:  resq 1
main_stack: resq 1
period: resq 1
gdt_frames: resq 14
gdt_address: resq 1
ldt_address: resq 1
executed: resq 1
place:  resd 1                                  ; the piece to begin with
starts: resd PIECES + 1
alignb 8
entered: resq 1
traps:  resq 1
calls:  resq 1
ticks:  resq 1
failsafes: resq 1
descriptors: resq 1
        resb 512                                ; room below the frame, for an exception there
alignb 16
frame_rax: resq 1
frame_r11: resq 1
frame_rcx: resq 1
frame_flags: resq 1
frame_rip: resq 1
frame_cs: resq 1
frame_rflags: resq 1
frame_rsp: resq 1
frame_ss: resq 1
