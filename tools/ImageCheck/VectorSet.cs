// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Iced.Intel;

namespace ImageCheck;

/// <summary>
/// The vector registers that the entry stubs save for the guest, as <c>boot/vectors.inc</c> lists them: the one list that
/// both the assembler and this check read.
/// </summary>
public sealed partial class VectorSet
{
    /// <summary>CpuInfo.VectorSave has room for so many.</summary>
    public const int MaxSaved = 4;

    private readonly HashSet<Register> _registers;

    private VectorSet(IEnumerable<Register> registers) => _registers = [.. registers];

    public int Count => _registers.Count;

    /// <exception cref="InvalidDataException">The text has no list, or one that is not of xmm registers.</exception>
    public static VectorSet Parse(string text)
    {
        Match list = List().Match(text);
        if (!list.Success)
        {
            throw new InvalidDataException("boot/vectors.inc does not define SAVED_VECTORS.");
        }

        List<Register> registers = [];
        foreach (string name in list.Groups[1].Value.Split(',', StringSplitOptions.TrimEntries))
        {
            if (!Enum.TryParse(name, true, out Register register) || !register.IsXMM() || registers.Contains(register))
            {
                throw new InvalidDataException($"boot/vectors.inc: '{name}' in SAVED_VECTORS is no xmm register, or stands twice.");
            }

            registers.Add(register);
        }

        return new VectorSet(registers);
    }

    public bool Contains(Register register) => _registers.Contains(register);

    public override string ToString() => Join(_registers);

    public static string Join(IEnumerable<Register> registers) =>
        string.Join(' ', registers.Order().Select(register => register.ToString().ToLowerInvariant()));

    [GeneratedRegex(@"^%define\s+SAVED_VECTORS\s+(\S.*?)\s*$", RegexOptions.Multiline)]
    private static partial Regex List();
}
