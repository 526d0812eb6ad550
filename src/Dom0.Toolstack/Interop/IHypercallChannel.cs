// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Toolstack.Interop;

/// <summary>
/// The way to the hypervisor, as Linux's privcmd driver offers it. The one implementation that talks to a real
/// hypervisor is <see cref="Privcmd"/>; host tests put a fake hypervisor behind the same four calls.
/// </summary>
public interface IHypercallChannel : IDisposable
{
    /// <summary>Zeroed memory that stays in place, for arguments of hypercalls.</summary>
    NativeRegion Allocate(int bytes);

    /// <summary>Makes a hypercall; returns its result, an error as a negative number.</summary>
    int Call(ulong number, ulong first = 0, ulong second = 0, ulong third = 0, ulong fourth = 0, ulong fifth = 0);

    /// <summary>
    /// Maps frames of another domain, one after the other. Page tables can be mapped readable only; all other frames
    /// may be written to unless <paramref name="isReadOnly"/> says otherwise.
    /// </summary>
    /// <exception cref="XenException">The hypervisor refuses one of them; nothing stays mapped.</exception>
    NativeRegion MapFrames(ushort domain, ReadOnlySpan<ulong> frames, bool isReadOnly = false);

    /// <summary>
    /// Maps frames of another domain, readable alone, which page tables are too. A frame that the hypervisor refuses
    /// gets its error number in <paramref name="errors"/>, and is not to be touched.
    /// </summary>
    NativeRegion MapForReading(ushort domain, ReadOnlySpan<ulong> frames, Span<int> errors);

    /// <summary>Maps pages that belong to the hypervisor on a domain's behalf, such as its grant table.</summary>
    /// <exception cref="XenException">The hypervisor refuses; nothing stays mapped.</exception>
    NativeRegion MapResource(ushort domain, uint type, uint id, uint index, int pages);
}
