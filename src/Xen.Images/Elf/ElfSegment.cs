// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// A program header (<c>Elf64_Phdr</c>, System V ABI), laid out as in the file. One that <see cref="ElfImage"/> hands
/// out has been checked: its bytes lie in the file and its addresses do not wrap.
/// </summary>
public struct ElfSegment
{
    public const int Size = 56;

    public ElfSegmentType Type;
    public uint Flags;
    public ulong FileOffset;
    public ulong VirtualAddress;
    public ulong PhysicalAddress;
    public ulong FileSize;
    public ulong MemorySize;
    public ulong Alignment;
}
