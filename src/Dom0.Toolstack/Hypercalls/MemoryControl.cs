// SPDX-License-Identifier: MIT
//
// memory_op can return more than an int holds and can be interrupted and continued with changed arguments, while the
// ioctl hands back an int. Inside a multicall of one entry the whole result survives in memory, and the hypervisor
// continues by rewriting the entry.
using System;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>Memory of other domains: <c>memory_op</c>.</summary>
public sealed class MemoryControl
{
    private const int EntryOffset = 2048;

    private readonly HypercallGate _gate;

    internal MemoryControl(HypercallGate gate) => _gate = gate;

    /// <summary>
    /// Sets memory aside for a domain, so that what <see cref="Populate"/> takes later is sure to be there; 0 gives
    /// back what was not taken.
    /// </summary>
    public void Claim(DomId domain, ulong pages)
    {
        ref MemoryReservation reservation = ref _gate.Prepare<MemoryReservation>();
        reservation.Domid = domain;
        reservation.NrExtents = pages;
        Check(Call(MemoryCommand.ClaimPages), "memory_op claim_pages", $"{pages} pages for domain {domain.Raw}");
    }

    /// <summary>
    /// Allocates memory: <paramref name="extents"/> holds guest frames and receives the machine frames under them.
    /// </summary>
    /// <returns>How many extents were allocated before memory ran out.</returns>
    public int Populate(DomId domain, Span<ulong> extents, int order)
    {
        using NativeRegion frames = _gate.Channel.Allocate(extents.Length * sizeof(ulong));
        extents.CopyTo(frames.As<ulong>());
        ref MemoryReservation reservation = ref _gate.Prepare<MemoryReservation>();
        reservation.ExtentStart = frames.Address;
        reservation.NrExtents = (ulong)extents.Length;
        reservation.ExtentOrder = (uint)order;
        reservation.Domid = domain;
        long done = Call(MemoryCommand.PopulatePhysMap);
        Check(done, "memory_op populate_physmap", $"domain {domain.Raw}");
        frames.As<ulong>()[..(int)done].CopyTo(extents);
        return (int)done;
    }

    /// <summary>Tells the hypervisor the memory map that a domain reads: one range of RAM from address 0.</summary>
    public void SetMemoryMap(DomId domain, ulong bytes)
    {
        using NativeRegion buffer = _gate.Channel.Allocate(64);
        ref E820Entry entry = ref buffer.Value<E820Entry>();
        entry.Addr = 0;
        entry.Size = bytes;
        entry.Type = (uint)E820Type.Ram;
        ref ForeignMemoryMap map = ref _gate.Prepare<ForeignMemoryMap>();
        map.Domid = domain;
        map.Map.NrEntries = 1;
        map.Map.Buffer = buffer.Address;
        Check(Call(MemoryCommand.SetMemoryMap), "memory_op set_memory_map", $"domain {domain.Raw}");
    }

    /// <summary>The highest guest frame number that a domain has used.</summary>
    public ulong MaximumGuestFrame(DomId domain)
    {
        _gate.Prepare<DomId>() = domain;
        long result = Call(MemoryCommand.MaximumGpfn);
        Check(result, "memory_op maximum_gpfn", $"domain {domain.Raw}");
        return (ulong)result;
    }

    /// <summary>Pages that sharing between domains has saved, and pages that are shared; 0 without sharing.</summary>
    public (ulong Freed, ulong Used) SharedPages()
    {
        _ = _gate.Prepare<ulong>();
        long freed = Call(MemoryCommand.GetSharingFreedPages);
        _ = _gate.Prepare<ulong>();
        long used = Call(MemoryCommand.GetSharingSharedPages);
        return ((ulong)Math.Max(freed, 0), (ulong)Math.Max(used, 0));
    }

    private static void Check(long result, string operation, string detail)
    {
        if (result < 0)
        {
            throw new XenException((int)-result, operation, detail);
        }
    }

    /// <summary>The argument lies at the start of the shared page, the multicall's entry in its second half.</summary>
    private unsafe long Call(MemoryCommand command)
    {
        MulticallEntry* entry = (MulticallEntry*)(_gate.Address + EntryOffset);
        entry->Op = (ulong)HypercallNumber.MemoryOp;
        entry->Args[0] = (ulong)command;
        entry->Args[1] = _gate.Address;
        int result = _gate.Channel.Call((ulong)HypercallNumber.Multicall, (ulong)entry, 1);
        return result < 0 ? result : (long)entry->Result;
    }
}
