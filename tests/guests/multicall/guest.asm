; SPDX-License-Identifier: MIT
; multicall: each entry gets its own result, one that fails does not stop the others, and all arguments travel.

%include "runtime.inc"
%include "memory.inc"

ENTRY           equ 64                          ; number, result, six arguments

%macro CALL_ENTRY 2-8 0, 0, 0, 0, 0, 0         ; index, number, arguments
%assign base %1 * ENTRY
        mov qword [calls + base], %2
        mov qword [calls + base + 8], 0x55
%rotate 2
%assign argument 0
%rep 6
        mov rax, %1
        mov [calls + base + 16 + argument * 8], rax
%rotate 1
%assign argument argument + 1
%endrep
%endmacro

main:
        HYPERCALL MULTICALL, 0, 0
        EXPECT rax, 0, "no calls are no error"
        FRAME_OF page
        shl rax, 12
        or rax, READ_ONLY_PAGE
        mov rbx, rax
        FRAME_OF other
        shl rax, 12
        or rax, WRITABLE_PAGE
        mov rbp, rax
        mov dword [other], 0xCAFE

        CALL_ENTRY 0, XEN_VERSION
        CALL_ENTRY 1, 60
        CALL_ENTRY 2, UPDATE_VA_MAPPING, page, rbx, UVMF_INVLPG
        CALL_ENTRY 3, XEN_VERSION, 6, 0x1000
        CALL_ENTRY 4, UPDATE_VA_MAPPING, page, rbp, UVMF_INVLPG
        CALL_ENTRY 5, VCPU_OP, VCPUOP_IS_UP, 0
        CALL_ENTRY 6, MEMORY_OP, MAXIMUM_RAM_PAGE
        HYPERCALL MULTICALL, calls, 7
        EXPECT rax, 0, "the whole succeeds"
        EXPECT [calls + 8], 4 << 16 | 17, "the first has its result"
        EXPECT [calls + ENTRY + 8], ENOSYS, "the second its error"
        EXPECT [calls + 2 * ENTRY + 8], 0, "the third was carried out"
        EXPECT [calls + 3 * ENTRY + 8], EFAULT, "the fourth failed alone"
        EXPECT [calls + 4 * ENTRY + 8], 0, "the fifth was carried out"
        EXPECT [calls + 5 * ENTRY + 8], 1, "the sixth has its result"
        cmp qword [calls + 6 * ENTRY + 8], 0
        EXPECT_FLAG g, "the last too"
        EXPECT32 [page], 0xCAFE, "in the order of the entries"

        ; Many, as kernels batch them.
        xor r13d, r13d
.fill:  mov eax, r13d
        shl eax, 6
        add rax, calls
        mov qword [rax], UPDATE_VA_MAPPING
        mov qword [rax + 8], 0x55
        mov qword [rax + 16], page
        mov [rax + 24], rbp
        mov qword [rax + 32], UVMF_NONE
        inc r13d
        cmp r13d, 256
        jb .fill
        HYPERCALL MULTICALL, calls, 256
        EXPECT rax, 0, "256 calls succeed"
        xor r13d, r13d
.check: mov eax, r13d
        shl eax, 6
        EXPECT [calls + rax + 8], 0, "each of them"
        inc r13d
        cmp r13d, 256
        jb .check

        ; A call that has to be restarted keeps its place.
        CALL_ENTRY 0, MMU_UPDATE, updates, 512, done, DOMID_SELF
        CALL_ENTRY 1, XEN_VERSION
        mov rdi, page
        call entry_of
        mov rcx, [rax]
        xor r13d, r13d
.updates:
        mov eax, r13d
        shl eax, 4
        add rax, updates
        mov [rax], rdx
        mov [rax + 8], rcx
        inc r13d
        cmp r13d, 512
        jb .updates
        HYPERCALL MULTICALL, calls, 2
        EXPECT rax, 0, "a long call within succeeds"
        EXPECT [calls + 8], 0, "without an error"
        EXPECT32 [done], 512, "all of it"
        EXPECT [calls + ENTRY + 8], 4 << 16 | 17, "and the one behind it"

        HYPERCALL MULTICALL, 0x1000, 1
        EXPECT rax, EFAULT, "entries that are nowhere are refused"
        PAGE_FLAGS other, READ_ONLY_PAGE
        EXPECT rax, 0, "a page is made read-only"
        mov qword [rel calls], MULTICALL
        mov qword [rel calls + 8], 0x55
        HYPERCALL MULTICALL, calls, 1
        EXPECT rax, 0, "a multicall within"
        test qword [calls + 8], -1
        EXPECT_FLAG s, "is refused"
        HYPERCALL MULTICALL, other, 1
        EXPECT rax, EFAULT, "results have to be written"
        mov rax, HYPERVISOR_END - 64
        HYPERCALL MULTICALL, rax, 1
        EXPECT rax, EFAULT, "not into the hypervisor"
        ret

section .bss
alignb 4096
page:   resb 4096
other:  resb 4096
calls:  resb 256 * ENTRY
updates: resb 512 * 16
done:   resq 1
