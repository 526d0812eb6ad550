// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using ImageCheck.Elf;

namespace Toolchain.Tests;

/// <summary>Makes objects and images by NASM and ld, so that each rule can be broken on purpose.</summary>
internal static class Assembler
{
    /// <summary>What every image has: an entry point, boot tables, tables of fixups, patches and names.</summary>
    public const string Image = """
        section .boot progbits alloc exec write align=16
        dd 0x1BADB002, 3, -(0x1BADB002 + 3)
        align 8
        dd 0xE85250D6, 0, 16, -(0xE85250D6 + 16)
        global boot_entry
        boot_entry: ret

        section .text progbits alloc exec nowrite align=16
        global sample
        sample: nop dword [rax]
        .after: ret
        global sample_last
        sample_last: ret
        align 16
        global plain, twin, smap_twins_start, smap_twins_end
        plain: mov rax, [rsi]
        mov eax, 1
        ret
        align 16
        smap_twins_start:
        twin: stac
        mov rax, [rsi]
        clac
        ret
        smap_twins_end:

        section __managedcode progbits alloc exec nowrite align=16
        global Sample_Sample_Type__Method:function (Sample_Sample_Type__Method.end - Sample_Sample_Type__Method)
        Sample_Sample_Type__Method: ret
        .end:

        section .trampoline progbits alloc exec nowrite align=4096
        ret

        section .data progbits alloc noexec write align=16
        dq 1

        section .bss nobits alloc noexec write align=4096
        global boot_l2, boot_l3, boot_l4, boot_image_l2, boot_image_l3
        boot_l2: resb 8
        boot_l3: resb 8
        boot_l4: resb 8
        boot_image_l2: resb 8
        boot_image_l3: resb 8
        """;

    public const string Names = """
        section .rodata progbits alloc noexec nowrite align=8
        extern sample, Sample_Sample_Type__Method
        global symbol_table, symbol_table_end, symbol_names
        symbol_table:
                dd sample - symbol_table, 0
                dd Sample_Sample_Type__Method - symbol_table, 7
        symbol_table_end:
        symbol_names:
                db 6, "sample"
                db 11, "Type.Method"
        """;

    public const string Tables = """
        section .fixups progbits alloc noexec nowrite align=8
        extern sample
        dq sample, sample + 3
        section .smap_patches progbits alloc noexec nowrite align=8
        dq sample
        section .smap_routines progbits alloc noexec nowrite align=8
        extern plain, twin
        dq plain, twin
        """;

    /// <summary>A compiled method with these instructions.</summary>
    public static string Method(string body, string after = "") => $"""
        section __managedcode progbits alloc exec nowrite align=16
        global Sample_Sample_Type__Method:function (Sample_Sample_Type__Method.end - Sample_Sample_Type__Method)
        Sample_Sample_Type__Method:
                {body}
        .end:
                {after}
        """;

    public static ElfFile Assemble(string source)
    {
        using TemporaryFolder folder = new();
        return ElfFile.Read(Assemble(folder, "object", source));
    }

    /// <summary>Links by the hypervisor's own script.</summary>
    public static ElfFile Link(params string[] sources)
    {
        using TemporaryFolder folder = new();
        string target = folder.File("image");
        string[] objects = [.. sources.Select((source, index) => Assemble(folder, $"part{index}", source))];
        ExternalTool.Demand(
            "ld",
            ["-n", "-T", RepositoryFiles.Path("boot", "hypervisor.ld"), "-z", "noexecstack", "--no-warn-rwx-segments",
                "-o", target, .. objects]);
        return ElfFile.Read(target);
    }

    /// <summary>The file that tools/build-hypervisor makes of a linked image.</summary>
    public static byte[] Flatten(ElfFile image)
    {
        const ulong LoadAddress = 0x200000;
        const ulong ImageBase = 0xFFFF_8280_0000_0000;
        using TemporaryFolder folder = new();
        ElfSection[] sections = [.. image.Sections.Where(section => section.IsAllocated && !section.Content.IsEmpty)];
        static ulong Start(ElfSection section) =>
            (section.Address >= ImageBase ? section.Address - ImageBase : section.Address) - LoadAddress;
        byte[] flat = new byte[sections.Max(section => Start(section) + section.Size)];
        foreach (ElfSection section in sections)
        {
            section.Content.Span.CopyTo(flat.AsSpan((int)Start(section)));
        }

        System.IO.File.WriteAllBytes(folder.File("flat"), flat);
        ulong end = image.FindSymbol("image_end")!.Value - ImageBase - LoadAddress;
        ExternalTool.Demand(
            "nasm", "-f", "bin", "-D", $"IMAGE='{folder.File("flat")}'", "-D", $"ENTRY={image.FindSymbol("boot_entry")!.Value}",
            "-D", $"MEMORY_SIZE={end}", "-o", folder.File("xen"), RepositoryFiles.Path("boot", "elf32.asm"));
        return System.IO.File.ReadAllBytes(folder.File("xen"));
    }

    private static string Assemble(TemporaryFolder folder, string name, string source)
    {
        string target = folder.File(name + ".o");
        ExternalTool.Demand(
            "nasm", "-f", "elf64", "-o", target, folder.Write(name + ".asm", "bits 64\ndefault rel\n" + source + "\n"));
        return target;
    }
}
