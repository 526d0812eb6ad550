; SPDX-License-Identifier: MIT
; Mistakes that hypervisors with this interface have made, each tried once. docs/security.md has the list, and says which
; other guests try the rest.

%include "runtime.inc"
%include "memory.inc"

EXCHANGE        equ 11
TOP_PAGE        equ 0x00007FFFFFFFF000          ; the last of the lower half
CALL_GATE       equ 0x0000EC000033C000          ; DPL 3, to the flat kernel selector's place
INTERRUPT_GATE  equ 0x0000EE000033C000
SKIPPED         equ 0xF0000000

main:
        ; Registers of whoever ran before: nothing has touched these since the domain began. First of all.
%assign register 0
%rep 16
        movq rax, xmm%+register
        movhlps xmm%+register, xmm%+register
        movq rbx, xmm%+register
        or rax, rbx
        EXPECT rax, 0, "vector registers of a new domain are empty"
%assign register register + 1
%endrep
        fnstcw [word_buffer]
        movzx eax, word [word_buffer]
        EXPECT rax, 0x37F, "the x87 control word of a new domain is the first one"
        fnstsw ax
        movzx eax, ax
        EXPECT rax, 0, "its status word too"
        stmxcsr [word_buffer]
        EXPECT32 [word_buffer], 0x1F80, "and MXCSR"

        call sysret
        call stack_segment
        call gates
        call single_step
        call alignment
        call debug_control
        call frames_of_iret
        call exchange
        call machine_to_physical
        call descriptor_gates
        call linear_tables
        jmp continuations

; SYSCALL in the last two bytes of the lower half returns to an address that is not canonical.
sysret: FRAME_OF top_code
        shl rax, 12
        or rax, READ_ONLY_PAGE
        mov [table1 + 511 * 8], rax
        FRAME_OF table1
        shl rax, 12
        or rax, TABLE_PAGE
        mov [table2 + 511 * 8], rax
        FRAME_OF table2
        shl rax, 12
        or rax, TABLE_PAGE
        mov [table3 + 511 * 8], rax
        PAGE_FLAGS table1, READ_ONLY_PAGE
        REQUIRE rax, 0, "table 1 is made read-only"
        PAGE_FLAGS table2, READ_ONLY_PAGE
        REQUIRE rax, 0, "table 2 is made read-only"
        PAGE_FLAGS table3, READ_ONLY_PAGE
        REQUIRE rax, 0, "table 3 is made read-only"
        mov rbx, cr3
        add rbx, 255 * 8
        FRAME_OF table3
        shl rax, 12
        or rax, TABLE_PAGE
        mov rbp, rax
        MMU_WRITE rbx, rbp
        REQUIRE rax, 0, "the last table of the lower half"
        mov word [top_code + 4094], 0x050F      ; SYSCALL
        mov rbp, rsp
        mov rbx, TOP_PAGE + 4094
        xor edi, edi
        xor esi, esi
        mov eax, XEN_VERSION
        TRY jmp rbx
        EXPECT rsp, rbp, "the stack is the guest's"
        mov rax, [trap_vector]
        sub rax, 13
        cmp rax, 1
        EXPECT_FLAG be, "a return to an address that is not canonical is a fault of the guest's"
        mov rax, 1 << 47
        EXPECT [trap_rip], rax, "at that address"
        mov eax, [trap_cs]
        and eax, 0xFFFC
        EXPECT rax, FLAT_CS64 & ~3, "and in its kernel"
        ret

; A breakpoint that MOV to SS held back strikes after the next instruction, which enters the hypervisor.
stack_segment:
        mov dword [selector], FLAT_SS
        HYPERCALL SET_DEBUGREG, 0, selector
        REQUIRE rax, 0, "a breakpoint's address"
        HYPERCALL SET_DEBUGREG, 7, 0x402 | 0x000F0000 ; reads and writes of four bytes
        REQUIRE rax, 0, "a breakpoint on data"
        xor edi, edi
        xor esi, esi
        TRY_BEGIN
        mov eax, XEN_VERSION
        mov ss, [selector]
        syscall
        TRY_END
        cmp qword [trap_vector], NO_TRAP
        je .answered
        EXPECT [trap_vector], 1, "a breakpoint behind MOV to SS is a debug exception, if anything"
        jmp .interrupt
.answered:
        EXPECT rax, 4 << 16 | 17, "SYSCALL behind MOV to SS is a hypercall"
.interrupt:
        TRY_BEGIN
        mov ss, [selector]
        int3
        TRY_END
        mov rax, [trap_vector]
        cmp rax, 3
        je .breakpoint
        EXPECT rax, 1, "INT3 behind MOV to SS is one of the two"
.breakpoint:
        TRY_BEGIN
        mov ss, [selector]
        int 0x80
        TRY_END
        mov rax, [trap_vector]
        cmp rax, 128
        je .off
        EXPECT rax, 1, "INT 80h behind MOV to SS is one of the two"
.off:   HYPERCALL XEN_VERSION, 3, selector      ; a breakpoint on what the hypervisor writes for the guest
        EXPECT rax, 0, "the hypervisor writes where the guest has a breakpoint"
        HYPERCALL SET_DEBUGREG, 7, 0x400
        REQUIRE rax, 0, "no breakpoint"
        ret

; None of the processor's gates but those of the interface opens to INT n.
gates:
%assign vector 0
%rep 256
  %if vector != 3 && vector != 4 && vector != 0x80
        TRY int vector
        mov eax, vector
        cmp qword [trap_vector], 13
        jne .open
  %endif
%assign vector vector + 1
%endrep
        ret
.open:  mov rbx, rax
        EXPECT rbx, -1, "INT n opens this gate"

; A single step over SYSCALL is not one in the hypervisor.
single_step:
        xor edi, edi
        xor esi, esi
        mov eax, XEN_VERSION
        TRY_BEGIN
        pushfq
        or qword [rsp], 0x100
        popfq
        syscall
.after: nop
        nop
        TRY_END
        EXPECT [trap_vector], 1, "a single step is a debug exception"
        mov rax, [trap_rip]
        sub rax, .after - 2
        cmp rax, 3
        EXPECT_FLAG be, "at the call or behind it"
        pushfq
        and qword [rsp], ~0x100
        popfq
        ret

; AC opens user pages to supervisors where SMAP is on: it is the guest's, and ends at the hypervisor's door.
alignment:
        pushfq
        or qword [rsp], 1 << 18
        popfq
        HYPERCALL XEN_VERSION, 0, 0
        mov rbx, rax
        HYPERCALL XEN_VERSION, 6, 0x1000
        mov rbp, rax
        pushfq
        pop rcx
        pushfq
        and qword [rsp], ~(1 << 18)
        popfq
        EXPECT rbx, 4 << 16 | 17, "a call with AC is answered"
        EXPECT rbp, EFAULT, "and bad pointers are noticed"
        bt rcx, 18
        EXPECT_FLAG c, "AC is there afterwards"
        ret

; General detect would make the hypervisor's own accesses fault; breakpoints on ports are not a guest's either.
debug_control:
        HYPERCALL SET_DEBUGREG, 7, 1 << 13 | 0x400
        HYPERCALL GET_DEBUGREG, 7
        bt rax, 13
        EXPECT_FLAG nc, "general detect is not turned on"
        TRY_BEGIN
        mov rax, 1 << 13 | 0x400
        mov dr7, rax
        mov rbx, dr7
        TRY_END
        cmp qword [trap_vector], NO_TRAP
        jne .refused
        bt rbx, 13
        EXPECT_FLAG nc, "nor by MOV to DR7"
.refused:
        HYPERCALL SET_DEBUGREG, 7, 0x402 | 0x00020000
        test rax, rax
        EXPECT_FLAG s, "no breakpoint on a port"
        mov rbx, HYPERVISOR_START
        HYPERCALL SET_DEBUGREG, 2, rbx
        test rax, rax
        EXPECT_FLAG s, "no breakpoint at the hypervisor's first address"
        mov rbx, HYPERVISOR_END - 1
        HYPERCALL SET_DEBUGREG, 2, rbx
        test rax, rax
        EXPECT_FLAG s, "nor at its last"
        TRY_BEGIN
        mov rbx, HYPERVISOR_START
        mov dr3, rbx
        TRY_END
        HYPERCALL GET_DEBUGREG, 3
        EXPECT_NOT rax, rbx, "nor by MOV to DR3"
        HYPERCALL SET_DEBUGREG, 7, 0x400
        ret

; IRETQ in ring 0 that faults: address, stack segment, code segment.
%macro IRET_TO 3                                ; rip, cs, ss
        TRY_BEGIN
        mov [word_buffer], rsp
        mov rbx, %1
        push %3
        push qword [word_buffer]
        push 0x202
        push %2
        push rbx
        push 0
        push 0
        push 0
        push 0
        mov eax, IRET_CALL
        syscall
        TRY_END
        mov rsp, [word_buffer]
%endmacro
frames_of_iret:
        IRET_TO 1 << 47, FLAT_CS64 & ~3, FLAT_SS
        mov rax, [trap_vector]
        sub rax, 13
        cmp rax, 1
        EXPECT_FLAG be, "iret to an address that is not canonical is a fault of the guest's"
        IRET_TO HYPERVISOR_START, FLAT_CS64 & ~3, FLAT_SS
        EXPECT [trap_vector], 14, "iret into the hypervisor is a page fault"
        IRET_TO .there, FLAT_SS & ~3, FLAT_SS
.there: EXPECT [trap_vector], 13, "iret to a code segment of data is a protection fault"
        IRET_TO .here, FLAT_CS64 & ~3, 0x1238
.here:  EXPECT [trap_vector], 13, "iret to a stack segment beyond the table is a protection fault"
        ret

; XENMEM_exchange: a number of extents that were exchanged before moves the lists. It must not move them where nothing
; may be written.
exchange:
        FRAME_OF given
        mov [list], rax
        mov rbp, rax
        HYPERCALL UPDATE_VA_MAPPING, given, 0, UVMF_INVLPG
        REQUIRE rax, 0, "a page is let go"
        mov rax, list - SKIPPED * 8
        mov [request], rax
        mov rax, M2P_BASE - SKIPPED * 8
        mov [request + 32], rax
        mov eax, SKIPPED + 1
        mov [request + 8], rax
        mov [request + 40], rax
        mov dword [request + 24], DOMID_SELF
        mov dword [request + 56], DOMID_SELF
        mov eax, SKIPPED
        mov [request + 64], rax
        mov r9, M2P_BASE
        mov rbx, [r9]
        HYPERCALL MEMORY_OP, EXCHANGE, request
        test rax, rax
        EXPECT_FLAG s, "an exchange with a list in the hypervisor fails"
        mov r9, M2P_BASE
        EXPECT [r9], rbx, "and writes nothing there"
        ret

; mmu_update of the machine-to-physical table: of one's own frames only.
machine_to_physical:
        mov r9, M2P_BASE
        mov rbp, [r9]
        MMU_WRITE MMU_M2P, 0x1234
        test rax, rax
        EXPECT_FLAG s, "the entry of a frame that is another's is refused"
        mov r9, M2P_BASE
        EXPECT [r9], rbp, "and stays"
        mov rbx, FRAME_MASK | MMU_M2P
        MMU_WRITE rbx, 0x1234
        test rax, rax
        EXPECT_FLAG s, "as is that of a frame that is none"
        ret

; Gates in a GDT would be doors into ring 0.
descriptor_gates:
        PAGE_FLAGS gdt, READ_ONLY_PAGE
        REQUIRE rax, 0, "a page for a GDT"
        FRAME_OF gdt
        mov [list], rax
        shl rax, 12
        lea rbx, [rax + 8]
        HYPERCALL SET_GDT, list, 512
        REQUIRE rax, 0, "a GDT"
        mov rbp, INTERRUPT_GATE
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rbp
        EXPECT rax, EINVAL, "an interrupt gate is refused"
        mov rbp, CALL_GATE                      ; of four words' length; the upper half of an entry must be checked too
        HYPERCALL UPDATE_DESCRIPTOR, rbx, rbp
        test rax, rax
        js .refused
        mov rax, [gdt + 8]                      ; the interface has gates, which the hypervisor emulates: never present
        bt rax, 47
        EXPECT_FLAG nc, "a call gate is refused, or not present"
.refused:
        HYPERCALL SET_GDT, list, 0
        REQUIRE rax, 0, "no GDT"
        ret

; A table that serves as one of the next level down: read-only at best, and a writable one never.
linear_tables:
        mov rbx, cr3
        mov rbp, rbx
        or rbp, TABLE_PAGE
        add rbx, 300 * 8
        MMU_WRITE rbx, rbp
        test rax, rax
        EXPECT_FLAG s, "a root that is its own third level, writable, is refused"
        and rbp, ~RW
        MMU_WRITE rbx, rbp
        test rax, rax
        js .refused
        MMU_WRITE rbx, 0                        ; the interface allows it, and must get rid of it again
        EXPECT rax, 0, "a root as its own third level can be taken away"
.refused:
        mov rbx, cr3
        mov rbp, [start_info]
        mov rbp, [rbp + SI_PT_BASE]
        mov rbp, [rbp + 511 * 8]
        add rbx, 300 * 8                        ; the kernel's third level as a second: by way of another table
        MMU_WRITE rbx, rbp
        EXPECT rax, 0, "a third level may hang in the root twice"
        MMU_WRITE rbx, 0
        EXPECT rax, 0, "and be taken away once"
        ret

; Arguments as only the hypervisor writes them for the rest of a long call.
continuations:
        mov dword [progress], 0xFFFFFFFF
        HYPERCALL MMU_UPDATE, list, 0x80000000, progress, DOMID_SELF
        EXPECT32 [progress], 0xFFFFFFFF, "what is said to be done is only added to"
        HYPERCALL MMUEXT_OP, list, 0x80000000, progress, DOMID_SELF
        EXPECT32 [progress], 0xFFFFFFFF, "that of mmuext_op too"
        mov rbx, HYPERVISOR_START + 64
        HYPERCALL MMU_UPDATE, list, 0x80000000, rbx, DOMID_SELF
        EXPECT rax, EFAULT, "it is not read from the hypervisor"
        HYPERCALL MMUEXT_OP, list, 0x80000001, rbx, DOMID_SELF
        EXPECT rax, EFAULT, "nor by mmuext_op"
        mov qword [request], list
        mov qword [request + 8], 1
        mov qword [request + 16], 0
        mov qword [request + 24], DOMID_SELF
        HYPERCALL MEMORY_OP, CURRENT_RESERVATION, self
        mov rbp, rax
        mov rbx, 0xFFFFFF << 6 | DECREASE_RESERVATION
        HYPERCALL MEMORY_OP, rbx, request
        HYPERCALL MEMORY_OP, CURRENT_RESERVATION, self
        EXPECT rax, rbp, "extents beyond the last one are not given back"
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, 0x1000, 0x80000001
        EXPECT rax, EINVAL, "a negative number of grant operations is refused"
        ret

section .data
align 8
self:   dd DOMID_SELF, 0
section .bss
alignb 4096
top_code: resb 4096
table1: resb 4096
table2: resb 4096
table3: resb 4096
gdt:    resb 4096
given:  resb 4096
list:   resq 16
request: resq 16
word_buffer: resq 2
progress: resq 1
selector: resb 1024                             ; XENVER_capabilities is as long
