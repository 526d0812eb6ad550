; SPDX-License-Identifier: MIT
; Addresses for C#, in the order of ImageLayout.cs.

extern image_start
extern image_text_end
extern image_rodata_end
extern image_end
extern fixups_start
extern fixups_end
extern syscall_trampoline
extern syscall32_trampoline
extern syscall_entry
extern syscall32_entry
extern trap_stubs
extern boot_cpu_block
extern symbol_table
extern symbol_table_end
extern symbol_names
extern ap_trampoline
extern ap_trampoline_end
extern boot_l4
extern interrupt_table
extern smap_patches_start
extern smap_patches_end
extern smap_routines_start
extern smap_routines_end

section .text progbits alloc exec nowrite align=16
global image_symbols
image_symbols:
        lea rax, [rel symbols]
        ret

; CPU 0 leaves the boot stack for its own: (stack pointer). Does not return.
extern boot_continue
global boot_switch_stack
boot_switch_stack:
        mov rsp, rdi
        xor ebp, ebp
        call boot_continue
        ud2

; The stack check of compiled code that has fixed buffers.
section .rodata progbits alloc noexec nowrite align=16
global __security_cookie
__security_cookie:
        dq 0x3A5F9C27D1E84B60

symbols:
        dq image_start, image_text_end, image_rodata_end, image_end
        dq fixups_start, fixups_end
        dq syscall_trampoline, syscall32_trampoline, syscall_entry, syscall32_entry
        dq trap_stubs, boot_cpu_block
        dq symbol_table, symbol_table_end, symbol_names
        dq interrupt_table
        dq ap_trampoline, ap_trampoline_end, boot_l4
        dq smap_patches_start, smap_patches_end, smap_routines_start, smap_routines_end

section .text
; After LGDT: CS by a far return, SS the hypervisor's, the others null.
global cpu_reload_selectors
cpu_reload_selectors:
        pop rax
        push 0xE008
        push rax
        mov eax, 0xE010
        mov ss, eax
        xor eax, eax
        mov ds, eax
        mov es, eax
        mov fs, eax
        mov gs, eax
        o64 retf
