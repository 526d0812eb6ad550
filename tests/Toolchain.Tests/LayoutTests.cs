// SPDX-License-Identifier: MIT
using System.IO;
using System.Linq;
using System.Reflection;
using AsmOffsets;
using Iced.Intel;
using ImageCheck.Elf;
using Sample;
using Xunit;

namespace Toolchain.Tests;

public sealed class LayoutTests
{
    [Fact]
    public void The_offsets_of_the_assembly_files_are_those_of_the_structs()
    {
        // tools/AsmOffsets writes the file: dotnet run --project tools/AsmOffsets boot/offsets.inc
        Assert.Equal(OffsetsFile.Write(), RepositoryFiles.Text("boot", "offsets.inc"));
    }

    [Fact]
    public void ILCompiler_lays_out_structs_as_the_host_does()
    {
        SampleResult result = SampleCompiler.Compile("Layout", also: "Shapes");
        Assert.Equal(string.Empty, result.Said);
        foreach (FieldInfo field in typeof(Shape).GetFields())
        {
            Assert.Equal((field.Name, OffsetsFile.OffsetOf(field)), (field.Name, Constant(result.Object!, field.Name)));
        }

        int size;
        unsafe
        {
            size = sizeof(Shape);
        }

        Assert.Equal(size, Constant(result.Object!, "Size"));
    }

    [Fact]
    public void A_bool_has_one_byte_in_the_offsets()
    {
        FieldInfo[] fields = typeof(Shape).GetFields();
        Assert.Equal(0, OffsetsFile.OffsetOf(fields.Single(field => field.Name == nameof(Shape.Flag))));
        Assert.Equal(2, OffsetsFile.OffsetOf(fields.Single(field => field.Name == nameof(Shape.Small))));
    }

    /// <summary>What a method that only gives a constant gives: the last value that it puts into eax.</summary>
    private static int Constant(ElfFile code, string field)
    {
        ElfSymbol method = code.FindSymbol("offset_" + field)
            ?? throw new InvalidDataException($"the sample Layout does not give {field}");
        byte[] bytes = code.Sections[method.Section].Content.Slice((int)method.Value, (int)method.Size).ToArray();
        Decoder decoder = Decoder.Create(64, bytes);
        int value = -1;
        while (decoder.IP < method.Size)
        {
            decoder.Decode(out Instruction instruction);
            value = instruction.Code switch
            {
                Code.Mov_r32_imm32 => (int)instruction.Immediate32,
                Code.Xor_r32_rm32 or Code.Xor_rm32_r32 => 0,
                _ => value,
            };
        }

        return value;
    }
}
