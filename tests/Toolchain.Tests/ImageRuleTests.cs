// SPDX-License-Identifier: MIT
using System;
using System.IO;
using ImageCheck;
using ImageCheck.Elf;
using ImageCheck.Names;
using ImageCheck.Rules;
using Xunit;

namespace Toolchain.Tests;

public sealed class ImageRuleTests
{
    private const long SmallEnough = 1000;

    [Fact]
    public void A_sound_image_passes_every_rule()
    {
        ElfFile image = Assembler.Link(Assembler.Image, Assembler.Names, Assembler.Tables);
        Findings findings = new();
        SectionRule.Check(image, findings);
        FixupRule.Check(image, findings);
        SmapRule.Check(image, findings);
        FileRule.Check(Assembler.Flatten(image), SmallEnough, image, findings);
        NameTable.Check(image, findings);
        Assert.Empty(findings.Messages);
    }

    [Theory]
    [InlineData("section .rodata.more progbits alloc noexec write\ndq 1", "section .rodata is writable, but must be readable only")]
    [InlineData("section .rodata.more progbits alloc exec nowrite\ndq 1", "section .rodata is executable, but must be readable only")]
    [InlineData("section .data.more progbits alloc exec write\ndq 1", "section .data is writable and executable, but must be writable")]
    [InlineData("section .bss.more nobits alloc exec write\nresq 1", "section .bss is writable and executable, but must be writable")]
    [InlineData("section .init_array progbits alloc noexec write\ndq 1", "section .init_array has no place in the image")]
    public void Rights_other_than_those_of_the_page_tables_are_refused(string source, string said)
    {
        Findings findings = new();
        SectionRule.Check(Assembler.Link(Assembler.Image, Assembler.Names, source), findings);
        Assert.Contains(findings.Messages, message => message.StartsWith(said, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("section .fixups progbits alloc noexec nowrite align=8\ndq sample, sample_data", "fixups[1] points to")]
    [InlineData("section .fixups progbits alloc noexec nowrite align=8\ndq 0x1234, sample", "fixups[0] points to 1234, outside of .text")]
    [InlineData("section .fixups progbits alloc noexec nowrite align=8\ndq sample", "the table of fixups has half an entry")]
    [InlineData("section .fixups progbits alloc noexec nowrite align=8\ndq sample, Sample_Sample_Type__Method", "into compiled code")]
    [InlineData("section .fixups progbits alloc noexec nowrite align=8\ndb 1", "the table of fixups has no sound borders")]
    [InlineData("section .smap_patches progbits alloc noexec nowrite align=8\ndq sample_last", "where no three-byte no-op is")]
    [InlineData("section .smap_patches progbits alloc noexec nowrite align=8\ndq sample_data", "smap_patches[0] points to")]
    public void An_address_that_would_patch_or_continue_elsewhere_is_refused(string table, string said)
    {
        Findings findings = new();
        const string Externals = """
            extern sample, sample_last, Sample_Sample_Type__Method
            section .data
            sample_data: dq 1
            """;
        FixupRule.Check(Assembler.Link(Assembler.Image, Assembler.Names, Externals + "\n" + table), findings);
        Assert.Contains(said, Assert.Single(findings.Messages));
    }

    [Theory]
    [InlineData("twin: stac", "twin: nop", "does not begin by STAC")]
    [InlineData("clac\n", "nop\n", "leaves user pages open: no CLAC before it")]
    [InlineData("mov rax, [rsi]\nclac", "jc sample\nclac", "leaves the twins with user pages open")]
    [InlineData("mov rax, [rsi]\nclac", "stac\nclac", "does not begin a twin")]
    [InlineData("sample_last: ret", "sample_last: stac", "outside of the twins")]
    [InlineData("smap_twins_end:\n", "ud2\n", "has no sound borders")]
    [InlineData("plain: mov rax, [rsi]", "plain: ret\nglobal other\nother: mov rax, [rsi]", "no routine of five bytes or more")]
    public void Routines_that_would_leave_user_pages_open_are_refused(string sound, string broken, string said)
    {
        string code = Assembler.Image.Replace(sound, broken, StringComparison.Ordinal);
        Assert.NotEqual(Assembler.Image, code);
        string tables = Assembler.Tables
            + (broken.Contains("other", StringComparison.Ordinal) ? "\nextern other\ndq other, twin" : "");
        Findings findings = new();
        SmapRule.Check(Assembler.Link(code, Assembler.Names, tables), findings);
        Assert.Contains(findings.Messages, message => message.Contains(said, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("dq twin, plain", "smap_routines has")]
    [InlineData("dq plain, sample", "which is no instruction between")]
    [InlineData("dq plain", "has no sound borders")]
    [InlineData("dq Sample_Sample_Type__Method, twin", "no routine of five bytes or more in the assembly files")]
    public void A_pair_that_would_patch_something_else_is_refused(string pair, string said)
    {
        const string Externals = """
            extern plain, twin, sample, Sample_Sample_Type__Method
            section .smap_routines progbits alloc noexec nowrite align=8

            """;
        Findings findings = new();
        SmapRule.Check(Assembler.Link(Assembler.Image, Assembler.Names, Externals + pair), findings);
        Assert.Contains(findings.Messages, message => message.Contains(said, StringComparison.Ordinal));
    }

    [Fact]
    public void A_compressed_image_of_a_mebibyte_is_too_large()
    {
        ElfFile image = Assembler.Link(Assembler.Image, Assembler.Names);
        byte[] file = Assembler.Flatten(image);
        Findings findings = new();
        FileRule.Check(file, FileRule.MaxCompressed - 1, image, findings);
        Assert.Empty(findings.Messages);
        FileRule.Check(file, FileRule.MaxCompressed, image, findings);
        Assert.Contains("the compressed image has 1048576 bytes", Assert.Single(findings.Messages));
    }

    [Theory]
    [InlineData(0, "is no ELF32 file")]
    [InlineData(24, "entry point is not boot_entry")]
    [InlineData(60, "is not loaded at 200000")]
    [InlineData(71, "is not loaded at 200000, or is cut short")]
    [InlineData(72, "does not end in memory where image_end is")]
    [InlineData(0x1000, "has no multiboot 1 header")]
    [InlineData(0x1014, "has no multiboot 2 header")]
    [InlineData(0x2000, "does not have section .text")]
    public void A_file_that_a_loader_would_misread_is_refused(int damaged, string said)
    {
        ElfFile image = Assembler.Link(Assembler.Image, Assembler.Names);
        byte[] file = Assembler.Flatten(image);
        file[damaged] ^= 0x40;
        Findings findings = new();
        FileRule.Check(file, SmallEnough, image, findings);
        Assert.Contains(findings.Messages, message => message.Contains(said, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("dd Sample_Sample_Type__Method - symbol_table, 7\ndd sample - symbol_table, 0", "is not sorted at sample")]
    [InlineData("dd sample - symbol_table, 7", "has Type.Method at")]
    [InlineData("dd sample - symbol_table + 1, 0", "has sample at")]
    [InlineData("", "has no table of names")]
    [InlineData("dd 1", "has no table of names")]
    public void Names_that_would_mislead_a_reader_of_a_panic_are_refused(string entries, string said)
    {
        string names = $"""
            section .rodata progbits alloc noexec nowrite align=8
            extern sample, Sample_Sample_Type__Method
            global symbol_table, symbol_table_end, symbol_names
            symbol_table:
            {entries}
            symbol_table_end:
            symbol_names:
                    db 6, "sample"
                    db 11, "Type.Method"
            """;
        Findings findings = new();
        NameTable.Check(Assembler.Link(Assembler.Image, names), findings);
        Assert.Contains(said, Assert.Single(findings.Messages));
    }

    [Fact]
    public void The_table_that_is_written_is_the_one_that_is_accepted()
    {
        string[] parts = [Assembler.Image, "section .text\nglobal other\nnop\nother: ret"];
        ElfFile code = Assembler.Assemble(parts[0]);
        string names = NameTable.Write(code, [code, Assembler.Assemble(parts[1])]);
        ElfFile image = Assembler.Link([.. parts, names]);
        Findings findings = new();
        NameTable.Check(image, findings);
        Assert.Empty(findings.Messages);
        foreach (string name in (string[])["sample", "sample_last", "other", "Type.Method"])
        {
            Assert.Contains($"db {name.Length}, \"{name}\"", names);
        }
    }

    [Fact]
    public void A_file_that_is_no_object_is_refused()
    {
        _ = Assert.Throws<InvalidDataException>(() => new ElfFile([1, 2, 3], "short"));
        _ = Assert.Throws<InvalidDataException>(() => new ElfFile(new byte[200], "zeros"));
        byte[] damaged = new byte[64];
        byte[] header = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        header.CopyTo(damaged, 0);
        damaged[18] = 62;
        damaged[41] = 0x10;
        damaged[60] = 3;
        _ = Assert.Throws<InvalidDataException>(() => new ElfFile(damaged, "damaged"));
    }
}
