// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor.Core;

/// <summary>Numbers by which guests index the hypervisor's tables.</summary>
public static class GuestIndex
{
    /// <summary>
    /// <paramref name="index"/>, or 0 where a mispredicted bounds check lets the processor run ahead with an index
    /// beyond <paramref name="count"/>: no branch that could be predicted wrong lies between this and the access.
    /// </summary>
    /// <remarks>Precondition: the caller has checked that the index is below the count.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Mask(uint index, uint count) => index & (uint)((long)((ulong)index - count) >> 63);
}
