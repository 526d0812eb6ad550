// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Xen.Abi.Tests;

/// <summary>One field of a C structure, by its path through nested unnamed types.</summary>
internal sealed record CField(string Path, int Offset, int Size);

/// <summary>One C structure.</summary>
internal sealed record CStruct(string Tag, int Size, IReadOnlyList<CField> Fields);

/// <summary>The checked-in rows of tools/AbiGolden/layout.c.</summary>
internal static class GoldenLayout
{
    private static readonly Lazy<string[]> s_lines =
        new(() => File.ReadAllLines(RepositoryFiles.Golden("abi-x86_64.csv")));

    private static readonly Lazy<Dictionary<string, CStruct>> s_structs = new(ReadStructs);
    private static readonly Lazy<Dictionary<string, long>> s_constants = new(ReadConstants);

    public static string[] Lines => s_lines.Value;

    /// <summary>By tag.</summary>
    public static IReadOnlyDictionary<string, CStruct> Structs => s_structs.Value;

    /// <summary>By name.</summary>
    public static IReadOnlyDictionary<string, long> Constants => s_constants.Value;

    private static Dictionary<string, CStruct> ReadStructs()
    {
        Dictionary<string, CStruct> structs = [];
        foreach (IGrouping<string, string[]> rows in Rows().Where(row => row[0] != "CONST").GroupBy(row => row[0]))
        {
            string[] head = rows.Single(row => row[1].Length == 0);
            CField[] fields = rows
                .Where(row => row[1].Length != 0)
                .Select(row => new CField(row[1], int.Parse(row[2]), int.Parse(row[3])))
                .ToArray();
            structs.Add(rows.Key, new CStruct(rows.Key, int.Parse(head[3]), fields));
        }
        return structs;
    }

    private static Dictionary<string, long> ReadConstants() =>
        Rows().Where(row => row[0] == "CONST").ToDictionary(row => row[1], row => long.Parse(row[2]));

    private static IEnumerable<string[]> Rows() => Lines.Select(line => line.Split(','));
}
