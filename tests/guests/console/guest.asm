; SPDX-License-Identifier: MIT
; console_io: text of any length and alignment arrives, bad requests are refused.

%include "runtime.inc"

main:
        HYPERCALL CONSOLE_IO, 0, 0, 0
        EXPECT rax, 0, "no bytes are no error"
        HYPERCALL CONSOLE_IO, 0, 5, 0x1000
        EXPECT rax, EFAULT, "text that is nowhere is refused"
        mov rax, HYPERVISOR_START
        HYPERCALL CONSOLE_IO, 0, 5, rax
        EXPECT rax, EFAULT, "the hypervisor's memory is not printed"
        HYPERCALL CONSOLE_IO, 77, 0, 0
        EXPECT rax, ENOSYS, "there is no 77th command"

        ; Over a page's end, byte by byte, and more than one piece at once.
        mov rsi, sentence
        mov rdi, pages + 4096 - 10
        mov ecx, sentence_length
        rep movsb
        HYPERCALL CONSOLE_IO, 0, sentence_length, pages + 4096 - 10
        EXPECT rax, 0, "text may cross pages"
        mov r13d, sentence_length
        mov rbx, sentence
.byte:  HYPERCALL CONSOLE_IO, 0, 1, rbx
        EXPECT rax, 0, "a single byte is text"
        inc rbx
        dec r13d
        jnz .byte
        mov rdi, pages
        mov ecx, 8192
        mov al, '.'
        rep stosb
        mov byte [pages + 4999], 10
        HYPERCALL CONSOLE_IO, 0, 5000, pages
        EXPECT rax, 0, "five thousand bytes are written, however often the call is restarted"

        HYPERCALL CONSOLE_IO, 1, 16, pages
        cmp qword [is_privileged], 0
        jne .may_read
        EXPECT rax, EPERM, "only Domain-0 reads the console"
        ret
.may_read:
        EXPECT rax, 0, "nobody has typed"
        ret

        STRING sentence, "the quick brown fox jumps over the page", 10

section .bss
alignb 4096
pages:  resb 8192
