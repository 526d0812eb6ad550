// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>The array of event words of a domain that uses the FIFO interface; a page on its account.</summary>
/// <remarks>
/// Grows under <see cref="DomainEvents.Lock"/> and <see cref="DomainEvents.FifoLock"/>, either suffices to read it.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomainFifo
{
    public const int WordsPerPageShift = MemoryLayout.PageShift - 2;
    public const uint WordsPerPage = 1u << WordsPerPageShift;

    /// <summary>Pages that show all ports: 128.</summary>
    public const uint MaxPages = EventChannelLimits.FifoNrChannels >> WordsPerPageShift;

    public uint PageCount;

    /// <summary>Pages of event words: the guest's memory in the direct map, with a writable reference each.</summary>
    public fixed ulong Pages[(int)MaxPages];
}
