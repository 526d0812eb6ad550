// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Xunit;

namespace Xen.Abi.Tests;

public sealed class LayoutTests
{
    public static TheoryData<string> Tags => new(GoldenLayout.Structs.Keys);

    public static TheoryData<string> TypeNames =>
        new(AbiTypes.Structs.Except(AbiTypes.WithoutRow).Select(type => type.Name));

    [Theory]
    [MemberData(nameof(Tags))]
    public void Every_C_structure_has_a_twin_of_the_same_size_and_fields(string tag)
    {
        CStruct expected = GoldenLayout.Structs[tag];
        Type type = AbiTypes.Structs.SingleOrDefault(candidate => candidate.Name == AbiName.OfStruct(tag));
        Assert.True(type is not null, $"struct {tag} should be {AbiName.OfStruct(tag)}");
        Assert.Equal(expected.Size, AbiTypes.SizeOf(type));

        Dictionary<string, ManagedField> actual = AbiTypes.Fields(type).ToDictionary(field => field.Name);
        foreach (CField field in expected.Fields)
        {
            string name = AbiName.OfField(field.Path);
            ManagedField twin = actual.GetValueOrDefault(name) ?? actual.GetValueOrDefault("Raw" + name);
            Assert.True(twin is not null, $"{tag}.{field.Path} should be {type.Name}.{name}");
            Assert.True(
                (twin.Offset, twin.Size) == (field.Offset, field.Size),
                $"{tag}: {field} but {twin}");
        }
    }

    [Theory]
    [MemberData(nameof(TypeNames))]
    public void Every_structure_and_each_of_its_fields_has_a_row_of_the_C_compiler(string typeName)
    {
        Type type = AbiTypes.Structs.Single(candidate => candidate.Name == typeName);
        CStruct twin = GoldenLayout.Structs.Values.SingleOrDefault(row => AbiName.OfStruct(row.Tag) == typeName);
        Assert.True(twin is not null, $"{typeName} has no row: add it to tools/AbiGolden/layout.c");

        HashSet<string> known = twin.Fields.Select(field => AbiName.OfField(field.Path)).ToHashSet();
        foreach (FieldInfo field in AbiTypes.InstanceFields(type))
        {
            bool array = field.Name.StartsWith("Raw", StringComparison.Ordinal)
                && known.Contains(field.Name["Raw".Length..]);
            Assert.True(
                array || known.Contains(field.Name) || AbiTypes.FieldsWithoutRow.Contains($"{typeName}.{field.Name}"),
                $"{typeName}.{field.Name} has no row: add it to tools/AbiGolden/layout.c");
        }
    }

    [Theory]
    [MemberData(nameof(TypeNames))]
    public void Documentation_begins_with_the_C_names(string typeName)
    {
        Type type = AbiTypes.Structs.Single(candidate => candidate.Name == typeName);
        CStruct twin = GoldenLayout.Structs.Values.Single(row => AbiName.OfStruct(row.Tag) == typeName);
        if (type != typeof(SharedRing))
        {
            string first = Assert.Single(Documentation.LeadingNames("T:" + typeName));
            Assert.Contains(first, new[] { "struct " + twin.Tag, "union " + twin.Tag });
        }
        foreach (CField field in twin.Fields)
        {
            string name = AbiName.OfField(field.Path);
            string member = type.GetField(name) is not null ? name : "Raw" + name;
            string[] names = Documentation.LeadingNames($"F:{typeName}.{member}");
            Assert.True(names.Contains(field.Path), $"{typeName}.{member} should be documented as <c>{field.Path}</c>");
        }
    }

    [Fact]
    public void Fields_are_of_types_whose_bits_mean_the_same_to_C()
    {
        HashSet<Type> primitives =
        [
            typeof(byte), typeof(sbyte), typeof(short), typeof(ushort),
            typeof(int), typeof(uint), typeof(long), typeof(ulong),
        ];
        foreach (FieldInfo field in AbiTypes.Structs.SelectMany(AbiTypes.InstanceFields))
        {
            Type type = field.GetCustomAttribute<FixedBufferAttribute>()?.ElementType ?? field.FieldType;
            Assert.True(
                primitives.Contains(type) || AbiTypes.Structs.Contains(type),
                $"{field.DeclaringType.Name}.{field.Name} is a {type.Name}");
            Assert.True(field.IsPublic, $"{field.DeclaringType.Name}.{field.Name} is hidden");
        }
    }

    [Fact]
    public void Structures_say_how_they_are_laid_out()
    {
        foreach (Type type in AbiTypes.Structs)
        {
            Assert.NotEqual(LayoutKind.Auto, type.StructLayoutAttribute.Value);
        }
    }

    [Fact]
    public void Types_that_no_header_declares_have_the_sizes_of_their_C_spelling()
    {
        Assert.Equal(2, AbiTypes.SizeOf(typeof(DomId)));
        Assert.Equal(4, AbiTypes.SizeOf(typeof(EventPort)));
        Assert.Equal(4, AbiTypes.SizeOf(typeof(GrantRef)));
        Assert.Equal(20, AbiTypes.SizeOf(typeof(E820Entry)));
        Assert.Equal([0, 8, 16], AbiTypes.Fields(typeof(E820Entry)).Select(field => field.Offset));
    }

    [Fact]
    public void Every_word_of_the_vocabulary_is_in_use()
    {
        HashSet<string> used = GoldenLayout.Structs.Values
            .SelectMany(row => row.Fields.Select(field => field.Path).Append(row.Tag))
            .SelectMany(name => name.Split('_', '.'))
            .ToHashSet();
        Assert.Empty(AbiName.Words.Keys.Except(used));
    }

    [Fact]
    public unsafe void Elements_of_arrays_of_structures_are_found_at_their_place()
    {
        VcpuGuestContext context = default;
        Assert.Equal((nint)(&context) + 0x2d0 + (255 * 16), (nint)context.TrapCtxt(255));
        SharedInfo shared = default;
        Assert.Equal((nint)(&shared) + (31 * 64), (nint)shared.VcpuInfo(31));
        BlkIfRequest request = default;
        Assert.Equal((nint)(&request) + 24 + (10 * 8), (nint)request.Seg(10));
        McInfoLogicalCpu cpu = default;
        int first = AbiTypes.Fields(typeof(McInfoLogicalCpu)).Single(field => field.Name == "RawMcMsrValues").Offset;
        Assert.Equal((nint)(&cpu) + first + (7 * 16), (nint)cpu.McMsrValues(7));
    }
}
