// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>The part of physical memory that is mapped while the loader's data is read: from 0 to
/// <see cref="Length"/>.</summary>
public readonly unsafe struct PhysicalWindow
{
    private readonly byte* _base;

    public readonly ulong Length;

    /// <param name="first">Where physical address 0 is seen.</param>
    /// <param name="length">The first physical address that is not seen.</param>
    public PhysicalWindow(void* first, ulong length)
    {
        _base = (byte*)first;
        Length = length;
    }

    public bool Contains(ulong physical, ulong length) => length <= Length && physical <= Length - length;

    /// <summary>The bytes at <paramref name="physical"/>; null when any of them lies outside.</summary>
    public byte* At(ulong physical, ulong length) => Contains(physical, length) ? _base + physical : null;
}
