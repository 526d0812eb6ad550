; SPDX-License-Identifier: MIT
; What a boot loader sees: multiboot 1 and 2 headers, the 32-bit entry, the first page tables and the jump to long mode.
;
; The image is linked to 2 MiB. A loader of multiboot 2 may put it at any other multiple of 2 MiB below 4 GiB: until paging
; is on, esi holds the distance, and every address of the image is taken relative to it.
;
; The first tables map the first 4 GiB twice with 2 MiB pages, where they are (until the jump is done) and in the direct
; map, and the image where it was linked to. Hypervisor.X64 replaces them by the final ones, which obey W^X.

%include "offsets.inc"

MULTIBOOT1_MAGIC    equ 0x1BADB002
MULTIBOOT1_FLAGS    equ 0x00000003          ; modules on page boundaries; memory map
MULTIBOOT1_LOADER   equ 0x2BADB002          ; in eax at the entry
MULTIBOOT2_MAGIC    equ 0xE85250D6
MULTIBOOT2_LOADER   equ 0x36D76289
MULTIBOOT2_OPTIONAL equ 1                   ; a loader that does not know the tag may go on
MULTIBOOT2_EGA_TEXT equ 2
MULTIBOOT2_HIGH     equ 2                   ; the highest address that will do: low memory is for devices

LINK_ADDRESS        equ 0x200000

PTE_PRESENT         equ 1
PTE_WRITE           equ 2
PTE_LARGE           equ 0x80

; The section is linked where it is loaded; what it needs of the rest has a physical alias in hypervisor.ld.
extern boot_l2_physical
extern boot_l3_physical
extern boot_l4_physical
extern boot_image_l2_physical
extern boot_image_l3_physical
extern boot_image_pages                     ; of 2 MiB

section .boot progbits alloc exec write align=16
        align 8
multiboot2_header:
        dd MULTIBOOT2_MAGIC
        dd 0                                ; i386 protected mode
        dd multiboot2_header.end - multiboot2_header
        dd -(MULTIBOOT2_MAGIC + (multiboot2_header.end - multiboot2_header))
        align 8
        dw 6, 0                             ; modules on page boundaries
        dd 8
        align 8
        dw 4, MULTIBOOT2_OPTIONAL           ; consoles: a text screen will do
        dd 12, MULTIBOOT2_EGA_TEXT
        align 8
        dw 5, MULTIBOOT2_OPTIONAL           ; so will a framebuffer of any size
        dd 20, 0, 0, 0
        align 8
        dw 10, MULTIBOOT2_OPTIONAL          ; the image may be put elsewhere
        dd 24, LINK_ADDRESS, 0xFFFFFFFF, 0x200000, MULTIBOOT2_HIGH
        align 8
        dw 0, 0                             ; end of tags
        dd 8
.end:
        align 4
multiboot1_header:
        dd MULTIBOOT1_MAGIC
        dd MULTIBOOT1_FLAGS
        dd -(MULTIBOOT1_MAGIC + MULTIBOOT1_FLAGS)

bits 32
global boot_entry
boot_entry:
        cli
        cld
        ; Where is the image? A call tells, and needs a word of stack: the second one of the loader's information, which
        ; gets its value back.
        xor esi, esi
        cmp eax, MULTIBOOT1_LOADER
        je .find
        cmp eax, MULTIBOOT2_LOADER
        jne .found                          ; told later, on a console
.find:  mov edx, [ebx + 4]
        lea esp, [ebx + 8]
        call .here
.here:  pop esi
        sub esi, .here
        mov [ebx + 4], edx
.found: lea esp, [esi + boot_stack_top]
        mov [esi + boot_magic], eax
        mov [esi + boot_information], ebx

        ; Does the CPU have CPUID, and long mode?
        pushfd
        pop eax
        mov ecx, eax
        xor eax, 1 << 21
        push eax
        popfd
        pushfd
        pop eax
        xor eax, ecx
        test eax, 1 << 21
        jz no_long_mode
        mov eax, 0x80000000
        cpuid
        cmp eax, 0x80000001
        jb no_long_mode
        mov eax, 0x80000001
        cpuid
        test edx, 1 << 29
        jz no_long_mode
        mov [esi + boot_extended_features], edx

        ; L2: 2048 entries of 2 MiB
        lea edi, [esi + boot_l2_physical]
        mov eax, PTE_PRESENT | PTE_WRITE | PTE_LARGE
        mov ecx, 2048
.l2:    mov [edi], eax
        mov dword [edi + 4], 0
        add eax, 0x200000
        add edi, 8
        loop .l2

        ; L3: four of them
        lea edi, [esi + boot_l3_physical]
        lea eax, [esi + boot_l2_physical + (PTE_PRESENT | PTE_WRITE)]
        mov ecx, 4
.l3:    mov [edi], eax
        add eax, 0x1000
        add edi, 8
        loop .l3

        ; The image
        lea edi, [esi + boot_image_l2_physical + 8 * (LINK_ADDRESS >> 21)]
        lea eax, [esi + LINK_ADDRESS + (PTE_PRESENT | PTE_WRITE | PTE_LARGE)]
        mov ecx, boot_image_pages
.image: mov [edi], eax
        add eax, 0x200000
        add edi, 8
        loop .image
        lea eax, [esi + boot_image_l2_physical + (PTE_PRESENT | PTE_WRITE)]
        mov [esi + boot_image_l3_physical], eax

        lea eax, [esi + boot_image_l3_physical + (PTE_PRESENT | PTE_WRITE)]
        mov [esi + boot_l4_physical + 8 * ((MemoryLayout_ImageBase >> 39) & 511)], eax
        lea eax, [esi + boot_l3_physical + (PTE_PRESENT | PTE_WRITE)]
        mov [esi + boot_l4_physical], eax
        mov [esi + boot_l4_physical + 8 * ((MemoryLayout_DirectMap >> 39) & 511)], eax

        mov eax, cr4
        or eax, (1 << 5) | (1 << 9) | (1 << 10)     ; PAE, OSFXSR, OSXMMEXCPT
        mov cr4, eax
        lea eax, [esi + boot_l4_physical]
        mov cr3, eax
        mov ecx, 0xC0000080                 ; EFER
        rdmsr
        or eax, (1 << 8) | 1                ; LME, SCE
        test dword [esi + boot_extended_features], 1 << 20
        jz .no_nx
        or eax, 1 << 11                     ; NXE
.no_nx: wrmsr
        mov eax, cr0
        and eax, ~((1 << 2) | (1 << 3) | (1 << 29) | (1 << 30))   ; EM, TS, NW, CD
        or eax, (1 << 31) | (1 << 16) | (1 << 5) | 2              ; PG, WP, NE, MP
        mov cr0, eax
        lea eax, [esi + boot_gdt]
        mov [esi + boot_gdt_pointer + 2], eax
        lgdt [esi + boot_gdt_pointer]
        push dword 8
        lea eax, [esi + boot_long]
        push eax
        retf

no_long_mode:
        lea esi, [esi + no_long_mode_text]
        mov edi, 0xB8000
.next:  lodsb
        test al, al
        jz .halt
        mov ah, 0x0C
        mov [edi], ax
        add edi, 2
        mov bl, al
        mov dx, 0x3FD
        mov ecx, 100000
.wait:  in al, dx
        test al, 0x20
        loopz .wait
        mov al, bl
        mov dx, 0x3F8
        out dx, al
        jmp .next
.halt:  hlt
        jmp .halt

no_long_mode_text:
        db "Xen: this CPU has no 64-bit long mode; the hypervisor cannot run here.", 13, 10, 0

        align 16
boot_gdt:
        dq 0
        dq 0x00AF9B000000FFFF               ; 08: code, 64 bit
        dq 0x00CF93000000FFFF               ; 10: data
.end:
boot_gdt_pointer:
        dw boot_gdt.end - boot_gdt - 1
        dd 0                                ; address of boot_gdt
boot_magic:             dd 0
boot_information:       dd 0
boot_extended_features: dd 0

boot_stack:            times 64 dd 0
boot_stack_top:

bits 64
boot_long:
        mov ebp, [rel boot_magic]
        mov ebx, [rel boot_information]
        mov edx, esi                        ; third argument
        mov rax, boot_high
        jmp rax
section .text progbits alloc exec nowrite align=16
boot_high:
        lea rsp, [rel boot_cpu_block + MemoryLayout_PerCpuInfo + CpuInfo_VectorSave]
        push 2
        popfq                               ; AC above all: it would switch SMAP off
        lgdt [rel early_gdt_pointer]
        extern cpu_reload_selectors
        call cpu_reload_selectors
        mov edi, ebp
        mov esi, ebx
        xor ebp, ebp
        extern boot_main
        call boot_main
        ud2

; The hypervisor's code and data descriptors at their final selectors, E008h and E010h, so that the final interrupt stubs
; serve from the first C# instruction on. Nothing reads the table below them.
section .rodata progbits alloc noexec nowrite align=16
        align 16
early_gdt:
        dq 0
        dq 0x00AF9B000000FFFF
        dq 0x00CF93000000FFFF
.end:
early_gdt_pointer:
        dw 0xE000 + early_gdt.end - early_gdt - 1
        dq early_gdt - 0xE000

section .bss nobits alloc noexec write align=4096
        align 4096
global boot_l2, boot_l3, boot_l4, boot_image_l2, boot_image_l3
boot_l4:        resb 4096
boot_l3:        resb 4096
boot_l2:        resb 4 * 4096
boot_image_l3:  resb 4096
boot_image_l2:  resb 4096
global interrupt_table
interrupt_table: resb 4096
        alignb 1 << MemoryLayout_PerCpuShift
global boot_cpu_block
boot_cpu_block: resb 1 << MemoryLayout_PerCpuShift
