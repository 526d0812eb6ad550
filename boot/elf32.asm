; SPDX-License-Identifier: MIT
; Wraps the flat image into the ELF32 file that multiboot loaders want: one header, one loadable segment.
; nasm -f bin -D IMAGE='"…"' -D ENTRY=… -D MEMORY_SIZE=…

bits 32
LOAD_ADDRESS equ 0x200000

        db 0x7F, "ELF", 1, 1, 1, 0
        times 8 db 0
        dw 2, 3                             ; executable, i386
        dd 1, ENTRY, program_header, 0, 0
        dw 52, 32, 1, 0, 0, 0
program_header:
        dd 1, image, LOAD_ADDRESS, LOAD_ADDRESS, image_end - image, MEMORY_SIZE, 7, 0x1000
        align 4096, db 0
image:
        incbin IMAGE
image_end:
