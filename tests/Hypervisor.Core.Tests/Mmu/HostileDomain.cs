// SPDX-License-Identifier: MIT

using System.Collections.Generic;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>A domain whose vCPUs make requests of chance about the few frames it has.</summary>
internal sealed unsafe class HostileDomain
{
    private const ulong PageFaultVector = 14;
    private const ulong WritablePageTables = 1UL << 2;

    public HostileDomain(Domain* domain, int frames)
    {
        Domain = domain;
        Id = domain->Id;
        Size = frames;
        SharedInfo = domain->SharedInfoFrame.Raw;
        domain->VmAssist |= WritablePageTables;
        foreach (Mfn mfn in TestHost.Populate(domain, frames))
        {
            Frames.Add(mfn.Raw);
        }

        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* vcpu = domain->VcpuOf(id);
            if (vcpu != null)
            {
                vcpu->Traps[PageFaultVector].Address = 0x1000;
                vcpu->Traps[PageFaultVector].Cs = 0xE033;
            }
        }
    }

    public Domain* Domain { get; }

    public uint Id { get; }

    public ulong SharedInfo { get; }

    /// <summary>Frames at first; it lets no more than half of them go.</summary>
    public int Size { get; }

    /// <summary>What it believes to own.</summary>
    public List<ulong> Frames { get; } = [];

    /// <summary>Handles of grants that it has mapped, and the address that each was mapped at.</summary>
    public List<(uint Handle, ulong Address)> Mappings { get; } = [];

    /// <summary>Whose grants it maps and to whom it grants; null: it knows nobody.</summary>
    public HostileDomain Peer { get; set; }

    /// <summary>Writes an address space into frames 0 to 3: frame 4 writable, the level-1 table itself and frame 5
    /// read-only. Gives the root.</summary>
    public ulong WriteTables()
    {
        const ulong Rights = Pte.Present | Pte.User;
        Put(0, 0, 4, Rights | Pte.Writable);
        Put(0, 1, 0, Rights);
        Put(0, 2, 5, Rights);
        Put(1, 0, 0, Rights | Pte.Writable);
        Put(2, 0, 1, Rights | Pte.Writable);
        Put(3, 0, 2, Rights | Pte.Writable);
        return Frames[3];
    }

    /// <summary>Grants its last frames to its peer.</summary>
    public void WriteGrants()
    {
        for (int reference = 0; reference < 3; reference++)
        {
            GrantEntryV1* entry = Domain->Grants.Frames[0] + reference;
            entry->Frame = (uint)Frames[^(1 + reference)];
            entry->Domid = new DomId((ushort)Peer.Id);
            entry->Flags = (ushort)(GrantEntryFlags.PermitAccess | (reference == 2 ? GrantEntryFlags.ReadOnly : 0));
        }
    }

    private void Put(int table, int index, int target, ulong rights) =>
        ((ulong*)Hypervisor.Machine.Direct(new Mfn(Frames[table])))[index] = Pte.Make(new Mfn(Frames[target]), rights);
}
