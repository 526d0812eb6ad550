// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor.Core;

/// <summary>Virtual addresses as guests may name them.</summary>
public static class GuestAddress
{
    /// <summary>Bits 63 to 47 are all alike.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsCanonical(ulong address) => (ulong)((long)address >> 47) + 1 <= 1;

    /// <summary>May become an instruction pointer: canonical and not in the hypervisor's hole.</summary>
    public static bool IsCode(ulong address) => IsCanonical(address) && GuestMemory.IsOutsideHole(address, 1);
}
