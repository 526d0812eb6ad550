// SPDX-License-Identifier: MIT
// The table that turns machine frames into guests' frames is mapped in pieces of 2 MiB; a guest reads it in its own
// address space, the tools map its frames (owner DOMID_XEN) into theirs.

using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>Where the machine-to-physical table is.</summary>
public static unsafe class MachineToPhysicalTable
{
    private const int PieceShift = 21;
    private const int EntryShift = 3;

    /// <summary>XENMEM_machphys_mapping.</summary>
    public static HypercallResult Describe(ulong argument)
    {
        MachPhysMapping mapping;
        mapping.VStart = MemoryLayout.MachineToPhysicalReadOnly;
        mapping.VEnd = MemoryLayout.MachineToPhysicalReadOnly + (1UL << 38);

        // Beyond the last frame there is nothing to read: a guest that knows does not fault.
        mapping.MaxMfn = FrameTable.Frames - 1;
        return GuestMemory.Write(argument, &mapping) ? Errno.Ok : Errno.Fault;
    }

    /// <summary>XENMEM_machphys_mfn_list: first frame of each 2 MiB of the table.</summary>
    public static HypercallResult ListFrames(ulong argument)
    {
        MachPhysMfnList request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        ulong pieces = ((FrameTable.Frames << EntryShift) + (1UL << PieceShift) - 1) >> PieceShift;
        uint count = request.MaxExtents < pieces ? request.MaxExtents : (uint)pieces;
        ulong last = 0;
        for (uint piece = 0; piece < count; piece++)
        {
            // A hole shows some other piece: what is read there means nothing anyway.
            ulong frame = FrameOfPiece(piece);
            last = frame != 0 ? frame : last;
            if (!GuestMemory.WriteElement(request.ExtentStart, piece, &last))
            {
                return Errno.Fault;
            }
        }

        request.NrExtents = count;
        return GuestMemory.Write(argument, &request) ? Errno.Ok : Errno.Fault;
    }

    /// <summary>Looked up in the hypervisor's own page table; 0 for a hole.</summary>
    private static ulong FrameOfPiece(uint piece)
    {
        ulong address = MemoryLayout.MachineToPhysicalReadOnly + ((ulong)piece << PieceShift);
        ulong table = HypervisorSlots.IdleCr3;
        for (int level = 4; level >= 1; level--)
        {
            ulong entry = ((ulong*)Machine.Direct(table & Pte.AddressMask))[Pte.IndexOf(address, level)];
            if ((entry & Pte.Present) == 0)
            {
                return 0;
            }

            if (level == 1 || (entry & Pte.PageSize) != 0)
            {
                return Pte.FrameOf(entry).Raw;
            }

            table = entry;
        }

        return 0;
    }
}
