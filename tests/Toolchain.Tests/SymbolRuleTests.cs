// SPDX-License-Identifier: MIT
using ImageCheck;
using ImageCheck.Elf;
using ImageCheck.Names;
using ImageCheck.Rules;
using Xunit;

namespace Toolchain.Tests;

public sealed class SymbolRuleTests
{
    private const string Nothing = "section .text\n";

    [Theory]
    [InlineData("RhpNewFast", "Type.Method makes an object (RhpNewFast)")]
    [InlineData("RhpSomethingNew", "Type.Method asks for a run-time library that is not there (RhpSomethingNew)")]
    [InlineData("FORBIDDEN_Array", "Type.Method does what is forbidden: Array (FORBIDDEN_Array)")]
    [InlineData("cpu_missing", "Type.Method needs what no assembly file defines (cpu_missing)")]
    [InlineData("RhpReversePInvoke", "Type.Method is UnmanagedCallersOnly; RuntimeExport is the way (RhpReversePInvoke)")]
    public void An_undefined_symbol_is_said_with_the_method_that_wants_it(string helper, string said)
    {
        Findings findings = CheckHelpers($"extern {helper}\n" + Assembler.Method($"call {helper}"), Nothing);
        Assert.Equal(said, Assert.Single(findings.Messages));
    }

    [Fact]
    public void A_symbol_that_an_assembly_file_defines_is_no_offence()
    {
        Assert.Empty(CheckHelpers(
            "extern cpu_here\n" + Assembler.Method("call cpu_here"), "global cpu_here\ncpu_here: ret").Messages);
    }

    [Fact]
    public void A_symbol_that_is_local_to_an_assembly_file_does_not_count()
    {
        Assert.NotEmpty(CheckHelpers(
            "extern cpu_here\n" + Assembler.Method("call cpu_here"), "cpu_here: ret").Messages);
    }

    [Fact]
    public void Providing_a_refused_helper_does_not_help()
    {
        string code = "extern RhpNewFast\n" + Assembler.Method("call RhpNewFast");
        Findings findings = CheckHelpers(code, "global RhpNewFast\nRhpNewFast: ret");
        Assert.Contains("an assembly file defines RhpNewFast; that helper must not exist", findings.Messages);
        Assert.Contains("Type.Method makes an object (RhpNewFast)", findings.Messages);
        findings = CheckHelpers(Assembler.Method("ret") + "global RhpNewFast\nRhpNewFast: ret", Nothing);
        Assert.Contains("C# defines RhpNewFast; that helper must not exist", findings.Messages);
    }

    [Theory]
    [InlineData("Sample_Sample_Type___cctor", "Type has a static constructor that could not be folded")]
    [InlineData("__GetNonGCStaticBase_Sample", "statics that wait for a static constructor")]
    [InlineData("__GetGCStaticBase_Sample", "statics that wait for a static constructor")]
    [InlineData("__GetThreadStaticBase_Sample", "a static for each thread")]
    [InlineData("__GCSTATICSSample", "keeps a reference to an object")]
    [InlineData("__GenericDict_Sample", "generic over a class")]
    [InlineData("__GenericLookupFromThis_Sample", "generic over a class")]
    [InlineData("__InterfaceDispatchCell_Sample", "a call through an interface")]
    [InlineData("__Str_Sample", "a string object")]
    public void Symbols_of_constructs_that_fail_silently_are_refused(string symbol, string said)
    {
        Findings findings = new();
        ArtefactRule.Check(Assembler.Assemble($"section .data\nglobal {symbol}\n{symbol}: dq 0"), findings);
        Assert.Contains(said, Assert.Single(findings.Messages));
    }

    [Theory]
    [InlineData("__InterfaceDispatchCellSection_Start")]
    [InlineData("__GCStaticEEType_000")]
    [InlineData("__ThreadStaticRegion")]
    [InlineData("__NONGCSTATICSSample")]
    [InlineData("_ZTV6Object")]
    public void What_an_empty_program_contains_is_no_offence(string symbol)
    {
        Findings findings = new();
        ArtefactRule.Check(Assembler.Assemble($"section .data\nglobal {symbol}\n{symbol}: dq 0"), findings);
        Assert.Empty(findings.Messages);
    }

    // A clause: start, length * 4 + kind, handler; each number is doubled when it fits into one byte, and so on.
    [Theory]
    [InlineData("db 1 * 2, 4 * 2, (5 * 4 + 1) * 2, 30 * 2", false)]
    [InlineData("db 1 * 2, 4 * 2, (5 * 4 + 0) * 2, 30 * 2", true)]
    [InlineData("db 1 * 2, 4 * 2, (5 * 4 + 2) * 2, 30 * 2, 40 * 2", true)]
    [InlineData("db 2 * 2, 4 * 2, (5 * 4 + 1) * 2\ndw 300 * 4 + 1\ndb 4 * 2\ndw (80 * 4 + 1) * 4 + 1\ndb 9 * 2", false)]
    [InlineData("db 2 * 2, 4 * 2, (5 * 4 + 1) * 2\ndw 300 * 4 + 1\ndb 4 * 2\ndw (80 * 4 + 0) * 4 + 1\ndb 9 * 2", true)]
    [InlineData("db 2 * 2, 4 * 2, (5 * 4 + 1) * 2\ndd 300000000 * 16 + 7\ndb 4 * 2, 4 * 2, 2", true)]
    [InlineData("db 2 * 2, 4 * 2, (5 * 4 + 1) * 2, 15\ndd 700000000\ndb 4 * 2, (4 + 1) * 2, 2", false)]
    [InlineData("db 0", false)]
    public void A_catch_clause_is_told_from_a_finally(string clauses, bool isCatch)
    {
        Findings findings = new();
        ArtefactRule.Check(
            Assembler.Assemble($"section .data\nglobal __ehinfo_Sample_Sample_Type__Method\n__ehinfo_Sample_Sample_Type__Method:\n{clauses}"),
            findings);
        Assert.Equal(isCatch ? ["Type.Method has a catch clause; nothing is ever thrown"] : [], findings.Messages);
    }

    [Theory]
    [InlineData("Hypervisor_Core_Hypervisor_Core_Acpi_AcpiTables__Read", "AcpiTables.Read")]
    [InlineData("Hypervisor_Machine_Hypervisor_LogLine__Decimal_0", "LogLine.Decimal")]
    [InlineData("Sample_Sample_Mfn__op_Addition", "Mfn.op_Addition")]
    [InlineData("Sample_Sample_Thing___ctor_3", "Thing.new")]
    [InlineData("Sample_Sample_Thing__get_Count", "Thing.get_Count")]
    [InlineData("Sample_Sample_Counter_1<System___Canon>__Next", "Counter.Next")]
    [InlineData("Sample_Sample_Pair_2<Sample_A__B_Sample_C_1<Int32>>__Swap<UInt64>", "Pair.Swap")]
    [InlineData("boot_main", "boot_main")]
    [InlineData("__security_cookie", "__security_cookie")]
    public void Mangled_names_have_a_readable_form(string symbol, string name)
    {
        Assert.Equal(name, SymbolNames.Short(symbol));
    }

    private static Findings CheckHelpers(string managed, string assembly)
    {
        Findings findings = new();
        ElfFile code = Assembler.Assemble(managed);
        HelperRule.Check(code, [Assembler.Assemble(assembly)], findings);
        return findings;
    }
}
