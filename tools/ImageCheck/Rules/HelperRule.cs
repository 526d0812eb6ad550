// SPDX-License-Identifier: MIT
// What C# code asks the run-time library for appears as an undefined symbol of the managed object. Assembly files define the
// few that ring 0 has; everything else is a construct that ring 0 does without, and is said in those words. A helper of the
// run-time library stays refused when somebody defines it: its absence is the rule.

using System;
using System.Collections.Generic;
using System.Linq;
using ImageCheck.Elf;
using ImageCheck.Names;

namespace ImageCheck.Rules;

/// <summary>Undefined symbols, and helpers that must not exist.</summary>
public static class HelperRule
{
    /// <summary>Initialisation of a library, which ILCompiler always writes and nobody calls.</summary>
    private const string Startup = "Internal_CompilerGenerated__Module___NativeLibraryStartup";

    private const string ForbiddenPrefix = "FORBIDDEN_";
    private const string RuntimePrefix = "Rhp";

    private static readonly Dictionary<string, string> s_meanings = new()
    {
        ["RhpNewFast"] = "makes an object",
        ["RhNewObject"] = "makes an object",
        ["RhpNewFinalizable"] = "makes an object with a finalizer",
        ["RhpNewArrayFast"] = "makes an array",
        ["RhpNewPtrArrayFast"] = "makes an array of references",
        ["RhNewString"] = "makes a string",
        ["RhpThrowEx"] = "throws",
        ["RhpRethrow"] = "throws again",
        ["RhpAssignRef"] = "stores a reference to an object",
        ["RhpCheckedAssignRef"] = "stores a reference to an object",
        ["RhpByRefAssignRef"] = "copies a reference to an object",
        ["RhpInitialDynamicInterfaceDispatch"] = "calls through an interface",
        ["RhpPInvoke"] = "calls unmanaged code; RuntimeImport with InternalCall is the way",
        ["RhpPInvokeReturn"] = "calls unmanaged code; RuntimeImport with InternalCall is the way",
        ["RhpReversePInvoke"] = "is UnmanagedCallersOnly; RuntimeExport is the way",
        ["RhpReversePInvokeReturn"] = "is UnmanagedCallersOnly; RuntimeExport is the way",
        ["RhpGcPoll"] = "waits for a garbage collector",
        ["RhpTrapThreads"] = "waits for a garbage collector",
    };

    /// <summary>Helpers of the run-time library that ring 0 has: the stack check of methods with fixed buffers.</summary>
    private static readonly HashSet<string> s_provided = ["RhpFallbackFailFast"];

    /// <summary>Symbols that only the uncalled start-up code may name.</summary>
    private static readonly HashSet<string> s_startupOnly = ["RhpReversePInvoke", "RhpReversePInvokeReturn"];

    public static void Check(ElfFile managed, IReadOnlyCollection<ElfFile> assembly, Findings findings)
    {
        HashSet<string> defined = [];
        foreach (ElfSymbol symbol in assembly.SelectMany(file => file.Symbols).Where(IsOffered))
        {
            if (IsHelper(symbol.Name) && !s_provided.Contains(symbol.Name) && !s_startupOnly.Contains(symbol.Name))
            {
                findings.Add($"an assembly file defines {symbol.Name}; that helper must not exist");
            }

            _ = defined.Add(symbol.Name);
        }

        foreach (ElfSymbol symbol in managed.Symbols.Where(symbol => IsOffered(symbol) && IsHelper(symbol.Name)))
        {
            findings.Add($"C# defines {symbol.Name}; that helper must not exist");
        }

        foreach (ElfSymbol symbol in managed.Symbols.Where(symbol => symbol.IsUndefined))
        {
            if (s_provided.Contains(symbol.Name) || (!IsHelper(symbol.Name) && defined.Contains(symbol.Name)))
            {
                continue;
            }

            foreach (string user in Users(managed, symbol))
            {
                if (!s_startupOnly.Contains(symbol.Name) || user != Startup)
                {
                    findings.Add($"{SymbolNames.Short(user)} {Meaning(symbol.Name)} ({symbol.Name})");
                }
            }
        }
    }

    private static bool IsOffered(ElfSymbol symbol) => symbol.IsGlobal && symbol.IsInSection;

    private static bool IsHelper(string name) =>
        name.StartsWith(ForbiddenPrefix, StringComparison.Ordinal) || name.StartsWith(RuntimePrefix, StringComparison.Ordinal);

    private static string Meaning(string helper)
    {
        if (s_meanings.TryGetValue(helper, out string? meaning))
        {
            return meaning;
        }

        return helper.StartsWith(ForbiddenPrefix, StringComparison.Ordinal)
            ? "does what is forbidden: " + helper[ForbiddenPrefix.Length..]
            : helper.StartsWith(RuntimePrefix, StringComparison.Ordinal)
                ? "asks for a run-time library that is not there"
                : "needs what no assembly file defines";
    }

    private static IEnumerable<string> Users(ElfFile managed, ElfSymbol symbol)
    {
        string[] users =
        [
            .. managed.Relocations.Where(relocation => relocation.Target.Name == symbol.Name)
                .Select(relocation => managed.SymbolAt(relocation.Section, relocation.Offset)?.Name ?? managed.Name)
                .Distinct(),
        ];
        return users.Length != 0 ? users : [managed.Name];
    }
}
