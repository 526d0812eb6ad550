// SPDX-License-Identifier: MIT
using System.IO;
using ImageCheck;
using ImageCheck.Rules;
using Xunit;

namespace Toolchain.Tests;

public sealed class InstructionRuleTests
{
    [Theory]
    [InlineData("movaps xmm1, [rax]", "uses xmm1; the entry stubs save xmm0 xmm8 alone")]
    [InlineData("movups [rax], xmm15", "uses xmm15")]
    [InlineData("vmovaps xmm0, [rax]", "is in VEX encoding")]
    [InlineData("vzeroupper", "is in VEX encoding")]
    [InlineData("vmovdqu64 zmm0, [rax]", "is in EVEX encoding")]
    [InlineData("addsd xmm0, [rax]", "computes in vector registers")]
    [InlineData("paddd xmm0, xmm8", "computes in vector registers")]
    [InlineData("cvtsi2sd xmm0, eax", "computes in vector registers")]
    [InlineData("cvttss2si eax, xmm0", "computes in vector registers")]
    [InlineData("ucomisd xmm0, xmm8", "computes in vector registers")]
    [InlineData("pshufb xmm0, xmm8", "is beyond the base instruction set (SSSE3)")]
    [InlineData("ldmxcsr [rax]", "computes in vector registers")]
    [InlineData("fld1", "uses the x87 unit")]
    [InlineData("fninit", "uses the x87 unit")]
    [InlineData("movq mm0, [rax]", "uses MMX")]
    [InlineData("emms", "uses MMX")]
    [InlineData("popcnt eax, ecx", "is beyond the base instruction set (POPCNT)")]
    [InlineData("lzcnt eax, ecx", "is beyond the base instruction set (LZCNT)")]
    [InlineData("movbe eax, [rcx]", "is beyond the base instruction set (MOVBE)")]
    [InlineData("crc32 eax, ecx", "is beyond the base instruction set (SSE4_2)")]
    [InlineData("fxsave [rax]", "is beyond the base instruction set (FXSR)")]
    [InlineData("syscall", "is an instruction for boot/*.asm alone")]
    [InlineData("o64 sysret", "is an instruction for boot/*.asm alone")]
    [InlineData("iretq", "is an instruction for boot/*.asm alone")]
    [InlineData("swapgs", "is an instruction for boot/*.asm alone")]
    [InlineData("wrmsr", "is an instruction for boot/*.asm alone")]
    [InlineData("rdmsr", "is an instruction for boot/*.asm alone")]
    [InlineData("in al, dx", "is an instruction for boot/*.asm alone")]
    [InlineData("cli", "is an instruction for boot/*.asm alone")]
    [InlineData("hlt", "is an instruction for boot/*.asm alone")]
    [InlineData("int 0x80", "is an instruction for boot/*.asm alone")]
    [InlineData("std", "is an instruction for boot/*.asm alone")]
    [InlineData("popfq", "is an instruction for boot/*.asm alone")]
    [InlineData("mov cr3, rax", "is an instruction for boot/*.asm alone")]
    [InlineData("mov ds, eax", "is an instruction for boot/*.asm alone")]
    [InlineData("invlpg [rax]", "is an instruction for boot/*.asm alone")]
    [InlineData("mov rax, [fs:0]", "uses storage of a thread")]
    [InlineData("call rax", "calls through a pointer")]
    [InlineData("call [rax + 8]", "calls through a pointer")]
    [InlineData("jmp [rax]", "jumps through a pointer")]
    [InlineData("jmp rax", "jumps through a pointer")]
    [InlineData("db 0x06", "has bytes that are no instruction")]
    public void An_instruction_that_ring_0_does_without_is_refused_with_its_place(string instruction, string said)
    {
        Findings findings = Check(Assembler.Method("nop\n" + instruction));
        Assert.Contains(said, Assert.Single(findings.Messages));
        Assert.StartsWith("Type.Method+1 ", findings.Messages[0]);
    }

    [Theory]
    [InlineData("movups xmm8, [rax]\nmovaps [rcx], xmm8\nxorps xmm0, xmm0\nmovdqu [rdx], xmm0\nmovq rax, xmm0")]
    [InlineData("lock xadd [rax], rcx\nlock cmpxchg [rdx], rbx\nxchg [rdi], eax\npause\nmfence")]
    [InlineData("add rcx, rdx\njmp rcx")]
    [InlineData("mov rax, 0x123456789abcdef0\nimul rax, rcx\ndiv rcx\ncmovne rax, rdx\nbt rax, 3\nbsf rax, rcx\nrep movsb")]
    [InlineData("call .local\nret\n.local: int3")]
    public void What_the_compiler_writes_is_accepted(string code)
    {
        Assert.Empty(Check(Assembler.Method(code)).Messages);
    }

    [Fact]
    public void Code_that_belongs_to_no_method_is_found()
    {
        Findings findings = Check(Assembler.Method("ret", after: "nop\nint3\nsyscall"));
        Assert.Equal("__managedcode+3 is code that belongs to no method", Assert.Single(findings.Messages));
    }

    [Fact]
    public void The_summary_counts_methods_and_the_registers_in_use()
    {
        CodeSummary summary = InstructionRule.Check(
            Assembler.Assemble(Assembler.Method("movaps xmm8, [rax]")), SampleCompiler.SavedVectors, new Findings());
        Assert.Equal(1, summary.Methods);
        Assert.Equal("xmm8", VectorSet.Join(summary.VectorRegisters));
    }

    [Fact]
    public void An_object_that_ILCompiler_did_not_write_is_refused()
    {
        Findings findings = Check("section .text\nret");
        Assert.Contains("has no section __managedcode", Assert.Single(findings.Messages));
    }

    [Fact]
    public void More_registers_than_the_frame_has_room_for_are_refused()
    {
        VectorSet five = VectorSet.Parse("%define SAVED_VECTORS xmm0, xmm1, xmm2, xmm3, xmm8\n");
        Findings findings = new();
        _ = InstructionRule.Check(Assembler.Assemble(Assembler.Method("ret")), five, findings);
        Assert.Contains("lists 5 registers; CpuInfo.VectorSave has room for 4", Assert.Single(findings.Messages));
    }

    [Theory]
    [InlineData("")]
    [InlineData("%define SAVED_VECTORS")]
    [InlineData("%define SAVED_VECTORS xmm0 xmm8")]
    [InlineData("%define SAVED_VECTORS xmm0, ymm8")]
    [InlineData("%define SAVED_VECTORS xmm0, xmm0")]
    [InlineData("%define SAVED_VECTORS xmm0, rax")]
    public void A_list_that_is_not_one_of_xmm_registers_is_refused(string text)
    {
        _ = Assert.Throws<InvalidDataException>(() => VectorSet.Parse(text + "\n"));
    }

    [Fact]
    public void The_frame_has_room_for_as_many_registers_as_the_check_allows()
    {
        const int BytesOfRegister = 16;
        Assert.Equal(
            VectorSet.MaxSaved * BytesOfRegister,
            typeof(Hypervisor.CpuInfo).GetField("VectorSave")!.FieldType.StructLayoutAttribute!.Size);
    }

    [Fact]
    public void Assembly_files_name_vector_registers_in_the_shared_list_alone()
    {
        foreach (string path in Directory.EnumerateFiles(RepositoryFiles.Path("boot")))
        {
            if (Path.GetFileName(path) != "vectors.inc")
            {
                Assert.DoesNotMatch("[xyz]mm[0-9]", File.ReadAllText(path));
            }
        }
    }

    private static Findings Check(string source)
    {
        Findings findings = new();
        _ = InstructionRule.Check(Assembler.Assemble(source), SampleCompiler.SavedVectors, findings);
        return findings;
    }
}
