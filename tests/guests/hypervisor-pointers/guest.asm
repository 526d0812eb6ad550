; SPDX-License-Identifier: MIT
; A pointer in a hypercall never reaches the hypervisor's memory, be it read or written, and a bad one is an error and no more.

%include "runtime.inc"

%macro defstr_second 1
  %defstr second %1
%endmacro
; ATTACK call, arguments…: `bad` in r13 stands where a pointer is wanted.
%macro ATTACK 2-6
        HYPERCALL %{1:-1}
%ifid %1
  %defstr %%name %1
%else
  %define %%name ""
%endif
        defstr_second %2
        test rax, rax
        EXPECT_FLAG s, "a bad pointer is refused: ", %%name, " ", second
%endmacro

main:
        mov rbx, pointers
.next:  mov r13, [rbx]
        ATTACK XEN_VERSION, 1, r13
        ATTACK XEN_VERSION, 3, r13
        ATTACK XEN_VERSION, 6, r13
        ATTACK CONSOLE_IO, 0, 64, r13
        ATTACK SET_TRAP_TABLE, r13
        ATTACK MMU_UPDATE, r13, 1, 0, DOMID_SELF
        ATTACK MMUEXT_OP, r13, 1, 0, DOMID_SELF
        ATTACK SET_GDT, r13, 512
        ATTACK MULTICALL, r13, 1
        ATTACK EVENT_CHANNEL_OP, EVTCHN_SEND, r13
        ATTACK EVENT_CHANNEL_OP, ALLOC_UNBOUND, r13
        ATTACK GRANT_TABLE_OP, GNTTABOP_QUERY_SIZE, r13, 1
        ATTACK GRANT_TABLE_OP, GNTTABOP_COPY, r13, 1
        ATTACK GRANT_TABLE_OP, GNTTABOP_MAP, r13, 1
        ATTACK MEMORY_OP, MAXIMUM_RESERVATION, r13
        HYPERCALL MEMORY_OP, POPULATE_PHYSMAP, r13
        test rax, rax
        EXPECT_FLAG le, "a bad pointer populates nothing"
        ATTACK MEMORY_OP, MACHPHYS_MAPPING, r13
        ATTACK SCHED_OP, SCHEDOP_POLL, r13
        ATTACK SCHED_OP, SCHEDOP_SHUTDOWN, r13
        ATTACK VCPU_OP, VCPUOP_GET_RUNSTATE, 0, r13
        ATTACK VCPU_OP, VCPUOP_REGISTER_RUNSTATE, 0, r13
        ATTACK VCPU_OP, VCPUOP_SET_SINGLESHOT, 0, r13
        ATTACK VCPU_OP, VCPUOP_REGISTER_INFO, 0, r13
        ATTACK VCPU_OP, VCPUOP_REGISTER_TIME, 0, r13
        ATTACK CALLBACK_OP, CALLBACKOP_REGISTER, r13
        ATTACK PHYSDEV_OP, 6, r13

        ; A pointer within a request.
        mov [request], r13
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_RUNSTATE, 0, request
        test rax, rax
        js .refused
        HYPERCALL SCHED_OP, SCHEDOP_YIELD, 0    ; the area would be written now
        mov qword [request], area
        HYPERCALL VCPU_OP, VCPUOP_REGISTER_RUNSTATE, 0, request
        EXPECT rax, 0, "a good run-state area"
.refused:
        mov dword [list], DOMID_SELF
        mov dword [list + 4], 1
        mov [list + 16], r13
        HYPERCALL GRANT_TABLE_OP, GNTTABOP_SETUP, list, 1
        test rax, rax
        js .list
        cmp word [list + 8], 0
        EXPECT_FLAG l, "a list of grant frames is not written anywhere"
.list:  add rbx, 8
        cmp rbx, pointers_end
        jb .next
        ret

section .data
align 8
pointers:
        dq 0x1000
        dq HYPERVISOR_START + (1 << 39)
        dq 0xFFFF82D040200000
        dq 0xFFFF828000200000
        dq 0xFFFF82A000000000
        dq 0xFFFF830000000000
        dq HYPERVISOR_END - 8
        dq HYPERVISOR_START - 8
        dq 0x0000800000000000
        dq 0x8000000000000000
        dq 0xFFFF7FFFFFFFFFFF
        dq 0x00007FFFFFFFFFFC
pointers_end:
section .bss
request: resq 2
list:   resq 3
area:   resq 6
