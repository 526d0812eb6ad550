; SPDX-License-Identifier: MIT
; Races of two vCPUs on two CPUs. The second hammers a page with what would be a forged entry or descriptor, as long as its
; TLB lets it, while the first makes a page table, a GDT or another's page of it; or it grants and takes back while the
; first copies; or it binds and closes ports while the first sends. What was checked must stay as it was checked, and what
; was taken back must be one's own.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"

; vcpu_guest_context
C_FLAGS         equ 0x200
C_REGISTERS     equ 0x208
R_RIP           equ 0x80
R_CS            equ 0x88
R_RFLAGS        equ 0x90
R_RSP           equ 0x98
R_SS            equ 0xA0
C_TRAPS         equ 0x2D0
C_KERNEL_SS     equ 0x1368
C_KERNEL_SP     equ 0x1370
C_CR3           equ 0x1390
IN_KERNEL       equ 4

ROUNDS          equ 400
GRANT_ROUNDS    equ 4000
PORT_ROUNDS     equ 4000
REFERENCE       equ 20
SENTINEL        equ 0x0123456789ABCDEF
GATE            equ 0x0000EE000033C000          ; an interrupt gate with DPL 3: nothing a guest may have

; What the second vCPU is to do.
IDLE            equ 0
HAMMER          equ 1                           ; writes [forged] and 0 to [target], in turn
GRANTS          equ 2
PORTS           equ 3

; WORK kind: the second vCPU has begun with it, and ended what it did before.
%macro WORK 1
        mov qword [work], %1
        mov rbp, 1000000000
%%wait: pause
        cmp qword [working], %1
        je %%begun
        dec rbp
        jnz %%wait
        FAILURE "the second vCPU comes along"
%%begun:
%endmacro
; SPIN: time for the other vCPU to do harm.
%macro SPIN 0
        mov ecx, 300
%%turn: pause
        dec ecx
        jnz %%turn
%endmacro
%macro TOLD 2+
        mov rdi, [%1]
        call print_number
        PRINT %2, 10
%endmacro

; No flush: who has the page in its TLB may go on writing until the hypervisor cares.
%macro PAGE_CLOSED 0
        mov rax, [victim_frame]
        shl rax, 12
        or rax, READ_ONLY_PAGE
        HYPERCALL UPDATE_VA_MAPPING, victim, rax, UVMF_NONE
        REQUIRE rax, 0, "the page is closed"
%endmacro

main:   call start_second
        call page_tables
        call descriptors
        call pages
        call grants
        call ports
        WORK IDLE
        TOLD tables_made, " tables made of the page under attack"
        TOLD gdts_made, " descriptor tables"
        TOLD stale, " faults of the attacker"
        TOLD copied, " copies into a grant that comes and goes"
        TOLD revoked, " grants taken back"
        TOLD sent, " events sent to ports that come and go"
        EXPECT_NOT [tables_made], 0, "some tables were made"
        EXPECT_NOT [gdts_made], 0, "some descriptor tables were made"
        EXPECT_NOT [stale], 0, "the attacker found the page closed at times"
        EXPECT_NOT [copied], 0, "some copies succeeded"
        EXPECT_NOT [revoked], 0, "some grants were taken back"
        EXPECT_NOT [sent], 0, "some events were sent"
        HYPERCALL VCPU_OP, VCPUOP_DOWN, 1, 0
        EXPECT rax, 0, "the second vCPU goes down"
        ret

start_second:
        mov rdi, context + C_TRAPS              ; a page fault of the second vCPU
        mov byte [rdi + 14 * 16], 14
        mov word [rdi + 14 * 16 + 2], FLAT_CS64
        mov qword [rdi + 14 * 16 + 8], second_fault
        mov dword [context + C_FLAGS], IN_KERNEL
        mov qword [context + C_REGISTERS + R_RIP], second
        mov word [context + C_REGISTERS + R_CS], FLAT_CS64
        mov qword [context + C_REGISTERS + R_RFLAGS], 0x202
        mov qword [context + C_REGISTERS + R_RSP], second_stack_top
        mov word [context + C_REGISTERS + R_SS], FLAT_SS
        mov qword [context + C_KERNEL_SS], FLAT_SS
        mov qword [context + C_KERNEL_SP], second_stack_top
        mov rax, cr3
        mov [context + C_CR3], rax
        HYPERCALL VCPU_OP, VCPUOP_INITIALISE, 1, context
        REQUIRE rax, 0, "a second vCPU"
        HYPERCALL VCPU_OP, VCPUOP_UP, 1, 0
        REQUIRE rax, 0, "it comes up"
        ret

; A translation that is left makes entries of a checked table writable, or the root.
page_tables:
        FRAME_OF victim
        mov [victim_frame], rax
        mov rax, cr3
        or rax, WRITABLE_PAGE
        mov [forged], rax
        mov qword [target], victim
        mov r12d, ROUNDS
.round: WORK HAMMER
        SPIN
        PAGE_CLOSED
        MMUEXT PIN_L1, [victim_frame]
        test rax, rax
        jnz .open                               ; the entry stood there: refused, as it must be
        inc qword [tables_made]
        mov rbx, [victim]
        SPIN
        EXPECT [victim], rbx, "a checked table stays as it was checked"
        EXPECT_NOT rbx, [forged], "a table that maps a table writable is refused"
        MMUEXT UNPIN, [victim_frame]
        REQUIRE rax, 0, "unpinned"
.open:  PAGE_FLAGS victim, WRITABLE_PAGE
        REQUIRE rax, 0, "the page is a page again"
        dec r12d
        jnz .round
        ret

descriptors:
        mov rax, GATE
        mov [forged], rax
        mov r12d, ROUNDS
.round: WORK HAMMER
        SPIN
        PAGE_CLOSED
        HYPERCALL SET_GDT, victim_frame, 512
        test rax, rax
        jnz .open
        inc qword [gdts_made]
        mov rbx, [victim]
        SPIN
        EXPECT [victim], rbx, "a checked descriptor stays as it was checked"
        mov rax, GATE
        EXPECT_NOT rbx, rax, "a gate is refused"
        HYPERCALL SET_GDT, victim_frame, 0
        REQUIRE rax, 0, "the GDT is given up"
.open:  PAGE_FLAGS victim, WRITABLE_PAGE
        REQUIRE rax, 0, "the page is a page again"
        dec r12d
        jnz .round
        ret

; A page that was given away comes back in another place, or another one does.
pages:  mov rax, ~SENTINEL
        mov [forged], rax
        mov rax, [start_info]
        mov rax, [rax + SI_MFN_LIST]
        mov rcx, victim - VIRT_BASE
        shr rcx, 12
        lea rax, [rax + rcx * 8]
        mov [victim_place], rax
        mov r12d, ROUNDS
.round: WORK HAMMER
        SPIN
        HYPERCALL UPDATE_VA_MAPPING, victim, 0, UVMF_NONE
        REQUIRE rax, 0, "the page is let go"
        mov rax, [victim_frame]
        mov [extent], rax
        mov qword [reservation], extent
        mov qword [reservation + 8], 1
        mov qword [reservation + 24], DOMID_SELF
        HYPERCALL MEMORY_OP, DECREASE_RESERVATION, reservation
        REQUIRE rax, 1, "the frame is given back"
        mov rax, victim - VIRT_BASE
        shr rax, 12
        mov [extent], rax
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, reservation
        REQUIRE rax, 1, "a frame is taken"
        mov rax, [extent]
        mov [victim_frame], rax
        mov rcx, [victim_place]
        mov [rcx], rax
        shl rax, 12
        or rax, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, elsewhere, rax, UVMF_NONE
        REQUIRE rax, 0, "it is mapped elsewhere"
        HYPERCALL MMUEXT_OP, flush, 1, 0, DOMID_SELF
        mov rbx, SENTINEL
        mov [elsewhere], rbx
        SPIN
        EXPECT [elsewhere], rbx, "nobody writes to a page through what it was before"
        HYPERCALL UPDATE_VA_MAPPING, elsewhere, 0, UVMF_INVLPG
        REQUIRE rax, 0, "it is let go there"
        PAGE_FLAGS victim, WRITABLE_PAGE
        REQUIRE rax, 0, "and mapped where it was"
        dec r12d
        jnz .round
        ret

; The second vCPU takes its grant back as the interface says, and then owns the page alone.
grants: mov dword [setup], DOMID_SELF
        mov dword [setup + 4], 1
        mov qword [setup + 16], table_frame
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_SETUP, setup, 1
        REQUIRE rax, 0, "a grant table"
        mov rsi, [table_frame]
        shl rsi, 12
        or rsi, WRITABLE_PAGE
        HYPERCALL UPDATE_VA_MAPPING, table, rsi, UVMF_INVLPG
        REQUIRE rax, 0, "is mapped"
        call own_domain
        mov [table + REFERENCE * 8 + 2], ax
        mov [copy + 24], ax
        FRAME_OF granted
        mov [table + REFERENCE * 8 + 4], eax
        FRAME_OF source
        mov [copy], rax
        mov word [copy + 8], DOMID_SELF
        mov qword [copy + 16], REFERENCE
        mov word [copy + 32], 4096
        mov word [copy + 34], GNTCOPY_DEST_GREF
        mov rax, ~SENTINEL
        mov rdi, source
        mov ecx, 512
        rep stosq
        WORK GRANTS
        mov r12d, GRANT_ROUNDS
.round: HYPERCALL GRANT_TABLE_OP, GNTTABOP_COPY, copy, 1
        REQUIRE rax, 0, "grant copy"
        cmp word [copy + 36], 0
        jne .next
        inc qword [copied]
.next:  dec r12d
        jnz .round
        WORK IDLE
        EXPECT [broken], 0, "what is no longer granted is not written to"
        movzx eax, word [table + REFERENCE * 8]
        EXPECT rax, 0, "and the entry is not in use"
        ret

; Sends to ports that the second vCPU binds and closes: each answer is as good as the other, and no port is left behind.
ports:  WORK PORTS
        mov r12d, PORT_ROUNDS
.round: mov ebx, r12d
        and ebx, 15
        mov [sent_port], ebx
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, sent_port
        test rax, rax
        jnz .status
        inc qword [sent]
.status:
        mov word [status], DOMID_SELF
        mov [status + 4], ebx
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_STATUS, status
        EXPECT rax, 0, "a port has a status at any time"
        cmp dword [status + 8], 5
        EXPECT_FLAG be, "one that there is"
        dec r12d
        jnz .round
        WORK IDLE
        EXPECT [broken], 0, "the second vCPU closes what it bound"
        mov ebx, 15
.free:  mov word [status], DOMID_SELF
        mov [status + 4], ebx
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_STATUS, status
        EXPECT32 [status + 8], 0, "every port is closed in the end"
        mov [sent_port], ebx
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_SEND, sent_port
        EXPECT rax, EINVAL, "and takes no event"
        dec ebx
        jnz .free
        ret

; --- The second vCPU --------------------------------------------------------------------------------------------------

second: mov rax, [work]
        mov [working], rax
        cmp eax, HAMMER
        je .hammer
        cmp eax, GRANTS
        je .grants
        cmp eax, PORTS
        je .ports
        pause
        jmp second
.hammer:
        mov rdi, [target]
        mov rax, [forged]
        mov ecx, 64
.write: mov [rdi], rax
        pause
        pause
        mov qword [rdi], 0
        pause
        pause
.resume:
        dec ecx
        jnz .write
        jmp second

.grants:
        mov word [table + REFERENCE * 8], GTF_PERMIT_ACCESS
        mov ecx, 50
.granted:
        pause
        dec ecx
        jnz .granted
.revoke:
        mov eax, GTF_PERMIT_ACCESS              ; not while it is read or written
        xor ecx, ecx
        lock cmpxchg [table + REFERENCE * 8], cx
        jnz .revoke
        mov rax, SENTINEL
        mov rdi, granted
        mov ecx, 512
        rep stosq
        mov ecx, 50
.own:   pause
        dec ecx
        jnz .own
        mov rdi, granted
        mov ecx, 512
        repe scasq
        je .kept
        inc qword [broken]
.kept:  inc qword [revoked]
        jmp second

.ports: mov ebx, 8
.bind:  mov dword [second_op], DOMID_SELF << 16 | DOMID_SELF
        HYPERCALL EVENT_CHANNEL_OP, ALLOC_UNBOUND, second_op
        mov ebp, [second_op + 4]
        mov dword [second_op], DOMID_SELF
        mov [second_op + 4], ebp
        HYPERCALL EVENT_CHANNEL_OP, BIND_INTERDOMAIN, second_op
        test rax, rax
        jz .bound
        inc qword [broken]
.bound: mov r12d, [second_op + 8]
        mov ecx, 200                            ; time for an event
.open:  pause
        dec ecx
        jnz .open
        mov [second_op], ebp
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_CLOSE, second_op
        mov rbp, rax
        mov [second_op], r12d
        HYPERCALL EVENT_CHANNEL_OP, EVTCHN_CLOSE, second_op
        or rax, rbp
        jz .closed
        inc qword [broken]
.closed:
        dec ebx
        jnz .bind
        jmp second

second_fault:
        pop rcx
        pop r11
        add rsp, 8                              ; the error code
        lock inc qword [stale]
        push rax
        mov rax, second.resume
        mov [rsp + 8], rax
        pop rax
        jmp return_from_trap

section .data
align 8
flush:  dq TLB_FLUSH_LOCAL, 0, 0

section .bss
alignb 4096
context:        resb 8192
second_stack:   resb 4096
second_stack_top:
victim:         resb 4096
elsewhere:      resb 4096
table:          resb 4096
granted:        resb 4096
source:         resb 4096
victim_frame:   resq 14
victim_place:   resq 1
table_frame:    resq 1
work:           resq 1
working:        resq 1
forged:         resq 1
target:         resq 1
extent:         resq 1
reservation:    resq 4
setup:          resq 3
copy:           resq 5
status:         resq 4
sent_port:      resq 1
second_op:      resq 4
broken:         resq 1
stale:          resq 1
tables_made:    resq 1
gdts_made:      resq 1
copied:         resq 1
revoked:        resq 1
sent:           resq 1
