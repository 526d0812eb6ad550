// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using Xunit;

namespace Xen.Abi.Tests;

public sealed class ConstantTests
{
    // Not in a public header: "done" has no name there, and E820 types are ACPI's.
    private static readonly string[] s_withoutRow = ["Errno.Ok"];

    [Fact]
    public void Every_constant_has_the_value_of_the_C_name_it_is_documented_with()
    {
        List<string> wrong = [];
        foreach ((string identifier, string member, long value, int size) in Constants())
        {
            if (s_withoutRow.Contains(member) || member.StartsWith("E820Type.", StringComparison.Ordinal))
            {
                continue;
            }
            string[] names = Documentation.LeadingNames(identifier);
            if (names.Length == 0)
            {
                wrong.Add($"{member} is documented without its C name");
            }
            foreach (string name in names)
            {
                if (!GoldenLayout.Constants.TryGetValue(name, out long expected))
                {
                    wrong.Add($"{member}: {name} has no row: add it to tools/AbiGolden/layout.c");
                }
                else if (Truncate(expected, size) != Truncate(value, size))
                {
                    wrong.Add($"{member} is {value}, {name} is {expected}");
                }
            }
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_C_constant_has_a_twin()
    {
        HashSet<string> documented = Constants()
            .SelectMany(row => Documentation.LeadingNames(row.Identifier))
            .ToHashSet();
        Assert.Empty(GoldenLayout.Constants.Keys.Except(documented));
    }

    [Fact]
    public void No_enumeration_has_two_names_for_a_value()
    {
        foreach (Type type in AbiTypes.Enums)
        {
            Array values = Enum.GetValuesAsUnderlyingType(type);
            Assert.Equal(values.Length, values.Cast<object>().Distinct().Count());
        }
    }

    private static IEnumerable<(string Identifier, string Member, long Value, int Size)> Constants()
    {
        const BindingFlags Static = BindingFlags.Static | BindingFlags.Public;
        IEnumerable<Type> types = [.. AbiTypes.Enums, .. AbiTypes.StaticClasses, .. AbiTypes.Structs];
        foreach (FieldInfo field in types.SelectMany(type => type.GetFields(Static)).Where(field => field.IsLiteral))
        {
            string member = $"{field.DeclaringType.Name}.{field.Name}";
            object value = field.GetRawConstantValue();
            yield return ("F:" + member, member, Widen(value), AbiTypes.SizeOf(value.GetType()));
        }
        foreach (PropertyInfo property in typeof(DomId).GetProperties(Static))
        {
            string member = "DomId." + property.Name;
            yield return ("P:" + member, member, ((DomId)property.GetValue(null)).Raw, sizeof(ushort));
        }
    }

    private static long Widen(object value) => value is ulong wide ? (long)wide : Convert.ToInt64(value);

    private static long Truncate(long value, int size) =>
        size == sizeof(long) ? value : value & ((1L << (size * 8)) - 1);
}
