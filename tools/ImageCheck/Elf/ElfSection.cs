// SPDX-License-Identifier: MIT
using System;

namespace ImageCheck.Elf;

/// <summary>A section header with its bytes (none for <c>.bss</c>).</summary>
public sealed record ElfSection(
    int Index,
    string Name,
    uint Type,
    ulong Flags,
    ulong Address,
    ulong Size,
    ulong Alignment,
    ReadOnlyMemory<byte> Content)
{
    public const uint SymbolTable = 2;
    public const uint RelocationsWithAddend = 4;
    public const uint NoBits = 8;

    private const ulong WriteFlag = 1;
    private const ulong AllocateFlag = 2;
    private const ulong ExecuteFlag = 4;

    public bool IsWritable => (Flags & WriteFlag) != 0;

    /// <summary>Part of the program in memory, unlike symbols and DWARF.</summary>
    public bool IsAllocated => (Flags & AllocateFlag) != 0;

    public bool IsExecutable => (Flags & ExecuteFlag) != 0;

    public ulong End => Address + Size;
}
