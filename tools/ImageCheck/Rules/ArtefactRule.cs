// SPDX-License-Identifier: MIT
// Some constructs leave no undefined symbol: they compile, link, and do nothing or the wrong thing. What the compiler writes
// for them betrays them by name. An empty program has __InterfaceDispatchCellSection_Start, __GCStaticEEType_000 (the shape
// of no static reference at all), __ThreadStaticRegion and the class Object; those are no offence.

using System;
using System.Collections.Generic;
using System.Linq;
using ImageCheck.Elf;
using ImageCheck.Names;

namespace ImageCheck.Rules;

/// <summary>Symbols that only a construct forbidden in ring 0 brings about.</summary>
public static class ArtefactRule
{
    private const string StaticConstructor = "___cctor";
    private const string UnwindPrefix = "_lsda";
    private const string ClausePrefix = "__ehinfo_";

    private static readonly (string Prefix, string Offence)[] s_prefixes =
    [
        ("__GetNonGCStaticBase_", "means statics that wait for a static constructor"),
        ("__GetGCStaticBase_", "means statics that wait for a static constructor"),
        ("__GetThreadStaticBase_", "is a static for each thread"),
        ("__THREADSTATIC", "is a static for each thread"),
        ("__GCSTATICS", "is a static field that keeps a reference to an object"),
        ("__GenericDict_", "belongs to a generic over a class: every use looks its types up at run time"),
        ("__GenericLookup", "belongs to a generic over a class: every use looks its types up at run time"),
        ("__InterfaceDispatchCell_", "is a call through an interface"),
        ("__InterfaceDispatchMap_", "belongs to a class that implements an interface"),
        ("__Str_", "is a string object; \"text\"u8 is the way"),
    ];

    public static void Check(ElfFile managed, Findings findings)
    {
        foreach (ElfSymbol symbol in managed.Symbols.Where(symbol => symbol.IsInSection))
        {
            if (symbol.Name.EndsWith(StaticConstructor, StringComparison.Ordinal)
                && !symbol.Name.StartsWith(UnwindPrefix, StringComparison.Ordinal))
            {
                findings.Add($"{SymbolNames.ShortType(symbol.Name)} has a static constructor that could not be folded; "
                    + "it would never run (make the field a constant, or set it in Boot)");
            }

            foreach ((string prefix, string offence) in s_prefixes)
            {
                if (symbol.Name.StartsWith(prefix, StringComparison.Ordinal))
                {
                    findings.Add($"{symbol.Name} {offence}");
                }
            }

            if (symbol.Name.StartsWith(ClausePrefix, StringComparison.Ordinal) && HasCatch(managed, symbol))
            {
                findings.Add($"{SymbolNames.Short(symbol.Name[ClausePrefix.Length..])} has a catch clause; nothing is ever thrown");
            }
        }
    }

    /// <summary>
    /// Reads a method's list of protected regions: a count, then for each its start, its length and kind (0 catch, 1 finally,
    /// 2 filter), and its handler. The body of a finally also stands in the ordinary path, so its handler may lie idle.
    /// </summary>
    private static bool HasCatch(ElfFile managed, ElfSymbol symbol)
    {
        const uint KindMask = 3;
        const uint Finally = 1;
        ReadOnlySpan<byte> rest = managed.Sections[symbol.Section].Content.Span[(int)symbol.Value..];
        for (uint count = Number(ref rest); count != 0; count--)
        {
            _ = Number(ref rest);
            if ((Number(ref rest) & KindMask) != Finally)
            {
                return true;
            }

            _ = Number(ref rest);
        }

        return false;
    }

    /// <summary>A number of one to five bytes; the count of low one-bits in the first says how many follow it.</summary>
    private static uint Number(ref ReadOnlySpan<byte> rest)
    {
        int following = 0;
        while (following < 4 && (rest[0] >> following & 1) != 0)
        {
            following++;
        }

        uint value = following == 4 ? 0 : (uint)rest[0] >> (following + 1);
        for (int index = 1; index <= following; index++)
        {
            int shift = following == 4 ? 8 * (index - 1) : (8 * index) - following - 1;
            value |= (uint)rest[index] << shift;
        }

        rest = rest[(following + 1)..];
        return value;
    }
}
