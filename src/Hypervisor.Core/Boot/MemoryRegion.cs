// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Boot;

/// <summary>A range of physical addresses of one kind.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MemoryRegion
{
    public ulong Base;
    public ulong Length;
    public MemoryType Type;

    public MemoryRegion(ulong start, ulong length, MemoryType type)
    {
        Base = start;
        Length = length;
        Type = type;
    }

    /// <summary>The address after the last byte; never wraps in a region of a <see cref="MemoryMap"/>.</summary>
    public readonly ulong End => Base + Length;
}
