// SPDX-License-Identifier: MIT

namespace ImageCheck.Elf;

/// <summary>A named address. In an object file <see cref="Value"/> counts from the section's start.</summary>
public sealed record ElfSymbol(string Name, byte Kind, byte Binding, int Section, ulong Value, ulong Size)
{
    public const byte Function = 2;
    public const byte SectionName = 3;
    public const byte FileName = 4;
    public const byte Local = 0;

    private const int UndefinedSection = 0;

    /// <summary>Indices from here on are no sections (<c>SHN_LORESERVE</c>).</summary>
    private const int FirstReserved = 0xFF00;

    public bool IsFunction => Kind == Function && IsInSection;

    public bool IsGlobal => Binding != Local;

    public bool IsUndefined => Section == UndefinedSection && Name.Length != 0;

    public bool IsInSection => Section is > UndefinedSection and < FirstReserved;
}
