; SPDX-License-Identifier: MIT
; vcpu_op: which vCPUs are up, run-state areas, the moved vcpu_info, and what an unprivileged kernel cannot have.

%include "runtime.inc"
%include "memory.inc"
%include "events.inc"

main:
        mov rdi, shared_info + SH_MASK
        xor eax, eax
        mov ecx, 64
        rep stosq
        HYPERCALL VCPU_OP, VCPUOP_IS_UP, 0, 0
        EXPECT rax, 1, "vCPU 0 is up"
        mov r13d, 1
.probe: HYPERCALL VCPU_OP, VCPUOP_IS_UP, r13, 0
        EXPECT rax, ENOENT, "the others do not exist"
        inc r13d
        cmp r13d, 8200
        jb .probe
        HYPERCALL VCPU_OP, VCPUOP_IS_UP, -1, 0
        EXPECT rax, ENOENT, "nor does the last number"

        HYPERCALL VCPU_OP, VCPUOP_GET_RUNSTATE, 0, runstate
        EXPECT rax, 0, "the run state is told"
        EXPECT32 [runstate], 0, "it is running"
        EXPECT_NOT [runstate + 8], 0, "since some time"
        EXPECT_NOT [runstate + 16], 0, "and has run"

        mov qword [request], area
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_RUNSTATE, 0, request
        EXPECT rax, 0, "an area for the run state is registered"
        EXPECT32 [area], 0, "it says running at once"
        EXPECT_NOT [area + 8], 0, "with the time"
        mov rbp, [area + 32]                    ; time blocked
        mov dword [poll + 8], 0
        mov r13d, 100                           ; a slow machine may sleep through the time that is to be waited
.wait:  call system_time
        add rax, 3000000
        mov [poll + 16], rax
        HYPERCALL SCHED_OP, SCHEDOP_POLL, poll
        mov rax, [area + 32]
        sub rax, rbp
        cmp rax, 1000000
        jae .waited
        dec r13d
        jnz .wait
        FAILURE "the time that is spent waiting is not counted"
.waited:
        EXPECT32 [area], 0, "and says running again"
        HYPERCALL VM_ASSIST, VMASST_ENABLE, ASSIST_RUNSTATE_FLAG
        EXPECT rax, 0, "the update flag is turned on"
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0
        mov rax, [area + 8]
        bt rax, 63
        EXPECT_FLAG nc, "the flag is off when the guest looks"

        HYPERCALL VCPU_OP, VCPUOP_REGISTER_TIME, 0, 0x1000
        test rax, rax
        EXPECT_FLAG s, "a request that is nowhere is refused"
        mov qword [request], time_area
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_TIME, 0, request
        EXPECT rax, 0, "an area for the time record is registered"
        mov eax, [shared_info + VI_TIME + TI_MULTIPLIER]
        EXPECT32 [time_area + TI_MULTIPLIER], eax, "it has the same rate"
        mov qword [request], 0
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_TIME, 0, request
        EXPECT rax, 0, "and is given up again"

        ; vcpu_info moves to a place of the guest's; it keeps what it held, and the old place is dead.
        mov byte [shared_info + VI_MASK], 1
        mov qword [shared_info + VI_CR2], 0x1234
        FRAME_OF info
        mov [request], rax
        mov dword [request + 8], info - info_page
        mov dword [request + 12], 0
        mov dword [request + 8], 4096 - 8
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_INFO, 0, request
        test rax, rax
        EXPECT_FLAG s, "vcpu_info does not cross pages"
        mov dword [request + 8], 4
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_INFO, 0, request
        test rax, rax
        EXPECT_FLAG s, "and is aligned"
        mov dword [request + 8], info - info_page
        mov rbx, 0x123456789
        xchg rbx, [request]
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_INFO, 0, request
        test rax, rax
        EXPECT_FLAG s, "and lies in memory of the guest's"
        mov [request], rbx
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_INFO, 0, request
        EXPECT rax, 0, "vcpu_info is moved"
        EXPECT8 [info + VI_MASK], 1, "the mask has moved"
        EXPECT [info + VI_CR2], 0x1234, "cr2 has moved"
        EXPECT_NOT [info + VI_TIME + TI_MULTIPLIER], 0, "the time record is there"
        EXPECT8 [info + VI_PENDING], 1, "an upcall is pending, in case one was missed"
        mov eax, 0x5678
        TRY mov eax, [rax]
        EXPECT [info + VI_CR2], 0x5678, "faults tell the new place"
        mov dword [request + 8], 0
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_INFO, 0, request
        EXPECT rax, EINVAL, "it moves once only"
        PAGE_FLAGS info_page, READ_ONLY_PAGE
        EXPECT rax, 0, "its page may be mapped read-only"
        FRAME_OF info_page
        MMUEXT PIN_L1, rax
        test rax, rax
        EXPECT_FLAG s, "but not become a page table"

        HYPERCALL VCPU_OP, 99, 0, 0
        EXPECT rax, ENOSYS, "there is no 99th operation"
        HYPERCALL VCPU_OP, VCPUOP_UP, 1, 0
        EXPECT rax, ENOENT, "a vCPU that is not there does not come up"
        ret

%include "clock.inc"

section .bss
alignb 4096
info_page:      resb 256
info:           resb 4096 - 256
runstate:       resq 6
area:           resq 6
time_area:      resq 4
request:        resq 2
poll:           resq 3
