// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Mmu;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Grants;

/// <summary>A granter, a domain that maps (with page tables) and Domain-0, and grant_table_op as each would make
/// it.</summary>
internal sealed unsafe class GrantBench : IDisposable
{
    public const ushort Granter = 1;
    public const ushort Mapper = 2;
    public const ushort InUse = GrantEntryFlags.Reading | GrantEntryFlags.Writing;

    /// <summary>Of a grant operation: the hypercall itself was carried out.</summary>
    public const long Done = 0;

    public GrantBench(uint cpus = 1)
    {
        Domains = new DomainBench(cpus);
        Owner = Domains.AddDomain(Granter);
        User = Domains.AddDomain(Mapper);
        Leaf = DomainBench.GivePageTables(User);
        Arguments = DomainBench.AddFrame(User);
        Dom0Arguments = DomainBench.AddFrame(Domains.Dom0);
    }

    public DomainBench Domains { get; }

    public Domain* Owner { get; }

    public Domain* User { get; }

    /// <summary>The mapper's level-1 table.</summary>
    public Mfn Leaf { get; }

    public Mfn Arguments { get; }

    public Mfn Dom0Arguments { get; }

    public CpuUserRegs Frame { get; private set; }

    public static ulong AddressOf(int slot) => DomainBench.Window + ((ulong)slot << 12);

    public static GrantEntryV1* Entry(Domain* domain, uint reference) =>
        domain->Grants.Frames[reference >> 9] + (reference & 511);

    public static PageInfo* PageOf(Mfn mfn) => FrameTable.Page(mfn);

    /// <summary>References to the frame beside the owner's own, and those with write access.</summary>
    public static (ulong References, ulong Writers) Holds(Mfn mfn)
    {
        PageInfo* page = PageOf(mfn);
        bool isWritable = (page->Type & PageType.Mask) == PageType.Writable;
        return ((page->Count & PageInfo.ReferenceMask) - 1, isWritable ? page->Type & PageType.CountMask : 0);
    }

    /// <summary>A new frame of the granter, granted to the mapper.</summary>
    public Mfn Grant(uint reference, ushort flags = GrantEntryFlags.PermitAccess, ushort to = Mapper)
    {
        Mfn mfn = DomainBench.AddFrame(Owner);
        Write(Owner, reference, flags, to, (uint)mfn.Raw);
        return mfn;
    }

    public static void Write(Domain* granter, uint reference, ushort flags, ushort to, uint frame)
    {
        GrantEntryV1* entry = Entry(granter, reference);
        entry->Domid = new DomId(to);
        entry->Frame = frame;
        entry->Flags = flags;
    }

    public static ushort FlagsOf(Domain* granter, uint reference) => Entry(granter, reference)->Flags;

    public ref ulong Slot(int slot) => ref DomainBench.Entries(Leaf)[slot];

    public static GrantTableMapGrantRef MapRequest(
        uint reference, int slot, uint flags = GrantMapFlags.HostMap, ushort granter = Granter) => new()
        {
            HostAddr = AddressOf(slot),
            Flags = flags,
            Ref = new GrantRef(reference),
            Dom = new DomId(granter),
            Handle = 0xDEAD,
        };

    public static GrantTableUnmapGrantRef UnmapRequest(uint handle, int slot, ulong device = 0) => new()
    {
        HostAddr = slot < 0 ? 0 : AddressOf(slot),
        DevBusAddr = device,
        Handle = handle,
    };

    public GrantStatus Map(ref GrantTableMapGrantRef request)
    {
        Assert.Equal(Done, Call(User, GrantTableCommand.MapGrantRef, Arguments, ref request));
        return (GrantStatus)request.Status;
    }

    public GrantStatus Map(uint reference, int slot, uint flags, out uint handle)
    {
        GrantTableMapGrantRef request = MapRequest(reference, slot, flags);
        GrantStatus status = Map(ref request);
        handle = request.Handle;
        return status;
    }

    /// <summary>Maps with write access, which has to succeed.</summary>
    public uint Map(uint reference, int slot, uint flags = GrantMapFlags.HostMap)
    {
        Assert.Equal(GrantStatus.Okay, Map(reference, slot, flags, out uint handle));
        return handle;
    }

    public GrantStatus Unmap(uint handle, int slot, ulong device = 0)
    {
        GrantTableUnmapGrantRef request = UnmapRequest(handle, slot, device);
        Assert.Equal(Done, Call(User, GrantTableCommand.UnmapGrantRef, Arguments, ref request));
        return (GrantStatus)request.Status;
    }

    public GrantStatus Copy(GrantTableCopy request)
    {
        Assert.Equal(Done, Call(User, GrantTableCommand.Copy, Arguments, ref request));
        return (GrantStatus)request.Status;
    }

    public long Call<T>(Domain* caller, GrantTableCommand command, Mfn arguments, ref T request)
        where T : unmanaged
    {
        long result = CallAt(caller, command, DomainBench.Put(arguments, request), 1);
        request = DomainBench.Get<T>(arguments);
        return result;
    }

    public long CallAt(Domain* caller, GrantTableCommand command, ulong address, uint count)
    {
        CpuUserRegs frame = default;
        long result = GrantTableOps.Dispatch(caller->VcpuOf(0), (uint)command, address, count, &frame).Raw;
        Frame = frame;
        return result;
    }

    public static GrantTableCopyPtr Granted(uint reference, ushort offset = 0, ushort domain = Granter) => new()
    {
        Ref = new GrantRef(reference),
        Domid = new DomId(domain),
        Offset = offset,
    };

    public static GrantTableCopyPtr Own(Mfn mfn, ushort offset = 0, ushort domain = 0x7FF0) => new()
    {
        Gmfn = mfn.Raw,
        Domid = new DomId(domain),
        Offset = offset,
    };

    public static Span<byte> Bytes(Mfn mfn) => new(Machine.Direct(mfn), 4096);

    /// <summary>No mapping is left: neither in the mapper's handles nor in the shared entry nor in counts.</summary>
    public void AssertUnused(uint reference, Mfn mfn)
    {
        Assert.Equal((0ul, 0ul), Holds(mfn));
        Assert.Equal(0, FlagsOf(Owner, reference) & InUse);
        Assert.False((Owner->Grants.Active[reference >> 8] + (reference & 255))->IsPinned);
        Assert.Equal(0u, User->Grants.MappingCount);
    }

    public void Dispose() => Domains.Dispose();
}
