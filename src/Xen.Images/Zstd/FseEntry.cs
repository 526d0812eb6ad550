// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>
/// A state of a finite state entropy decoder: the value it stands for (a base, and bits to add to it), and how the next
/// state follows (a base, and bits to add to that).
/// </summary>
internal struct FseEntry
{
    public ushort NextBase;
    public byte NextBits;
    public byte ExtraBits;
    public uint Base;
}
