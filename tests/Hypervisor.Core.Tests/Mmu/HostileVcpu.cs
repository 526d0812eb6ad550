// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using Hypervisor.Core.Hypercalls;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>
/// A vCPU that makes requests of chance, good and bad, about frames, page tables and grants, as a guest's kernel
/// (<see cref="Request"/>) or as the tools that act on a guest (<see cref="ToolsRequest"/>). Each says what it did.
/// </summary>
internal sealed unsafe class HostileVcpu
{
    private const uint Self = 0x7FF0;
    private const int References = 4;

    private readonly TestHost _host;
    private readonly HostileDomain _domain;
    private readonly ulong _otherFrame;

    // Memory of requests: guests see physical memory, of which the first MiB is nobody's.
    private readonly ulong _arguments;
    private readonly ulong _code;
    private readonly ulong _stack;
    private readonly ulong _list;

    /// <param name="host">The machine.</param>
    /// <param name="room">Which part of the first MiB its requests are in: 0 to 7.</param>
    /// <param name="vcpu">Who asks.</param>
    /// <param name="domain">Whose frames the requests are about.</param>
    /// <param name="otherFrame">A frame of a domain that gives it to nobody.</param>
    public HostileVcpu(TestHost host, uint room, Vcpu* vcpu, HostileDomain domain, ulong otherFrame)
    {
        const ulong RoomForEach = 0x2_0000;
        _host = host;
        _domain = domain;
        _otherFrame = otherFrame;
        Vcpu = vcpu;
        ulong memory = RoomForEach * room;
        _arguments = memory + 0x4000;
        _code = memory + 0x5000;
        _stack = memory + 0x8000;
        _list = memory + 0x1_0000;
    }

    public Vcpu* Vcpu { get; }

    public Random Random { get; set; }

    /// <summary>Writes an address space and runs in it.</summary>
    public void Boot()
    {
        ulong root = _domain.WriteTables();
        Xunit.Assert.Equal(0, Extended(MmuExtCommand.NewBasePtr, root, Self));
    }

    /// <summary>What a guest's kernel may come up with.</summary>
    public string Request() => Random.Next(_domain.Peer == null ? 18 : 24) switch
    {
        0 or 1 or 2 => Store(),
        3 or 4 or 5 or 6 => Update(),
        7 or 8 => Extended(Random.Next(4)),
        9 => Extended((int)MmuExtCommand.UnpinTable),
        10 => Extended((int)MmuExtCommand.NewBasePtr),
        11 => Extended((int)MmuExtCommand.NewUserBasePtr),
        12 => UpdateMapping(),
        13 => SetGdt(),
        14 => Decrease(),
        15 => Exchange(),
        16 => EmulatedStore(),
        17 => Populate(),
        18 => Grant(),
        19 or 20 => MapGrant(),
        21 or 22 => UnmapGrant(),
        _ => CopyGrant(),
    };

    /// <summary>What the tools do to a guest: map its frames, write to its tables, pin them, give and take
    /// memory.</summary>
    /// <param name="table">A level-1 table of the tools' own.</param>
    public string ToolsRequest(ulong table)
    {
        uint guest = _domain.Id;
        switch (Random.Next(5))
        {
            case 0:
                ulong own = (table << 12) | ((ulong)Random.Next(3) << 3);
                ulong entry = AnyEntry();
                return $"tools map {own:x} = {entry:x}: {UpdateEntry(own, entry, guest)}";
            case 1:
                ulong slot = (AnyFrameOrNone() << 12) | ((ulong)AnyIndex() << 3);
                ulong value = AnyEntry();
                return $"tools update {slot:x} = {value:x}: {UpdateEntry(slot, value, guest | ((guest + 1) << 16))}";
            case 2:
            case 3:
                MmuExtCommand command = (MmuExtCommand)Random.Next(5);
                ulong target = AnyFrameOrNone();
                return $"tools {command} {target:x}: {Extended(command, target, guest)}";
            default:
                bool takes = _domain.Frames.Count > _domain.Size / 2 && Random.Next(2) == 0;
                return takes ? Decrease(guest) : Populate(guest);
        }
    }

    public long Extended(MmuExtCommand command, ulong frame, uint domain)
    {
        MmuExtOp operation = default;
        operation.Cmd = (uint)command;
        operation.Arg1Mfn = frame;
        _ = _host.Put(operation, _arguments);
        return Call(HypercallNumber.MmuExtOp, _arguments, 1, 0, domain);
    }

    public long Reservation(MemoryCommand command, ulong frame, uint domain)
    {
        MemoryReservation reservation = default;
        reservation.ExtentStart = _list;
        reservation.NrExtents = 1;
        reservation.Domid = new DomId((ushort)domain);
        _ = _host.PutList(_list, frame);
        _ = _host.Put(reservation, _arguments);
        return Call(HypercallNumber.MemoryOp, (ulong)command, _arguments);
    }

    /// <summary>Tables whose release gave way are finished before the guest runs again.</summary>
    public void FinishParked()
    {
        while (PageTables.HasParked(Vcpu))
        {
            PageTables.ContinueParked(Vcpu);
        }
    }

    /// <summary>The call, made again while it gives way; now and then the guest comes back to something
    /// else.</summary>
    private long Call(HypercallNumber number, ulong a0, ulong a1 = 0, ulong a2 = 0, ulong a3 = 0)
    {
        CpuUserRegs frame = default;
        frame.Rax = (ulong)number;
        frame.Rdi = a0;
        frame.Rsi = a1;
        frame.Rdx = a2;
        frame.R10 = a3;
        while (true)
        {
            Hypervisor.Machine.Cpu->SoftIrqPending = 0;
            HypercallResult result = HypercallTable.Dispatch(Vcpu, &frame);
            if (!result.IsPreempted)
            {
                return result.Raw;
            }

            if (Random == null || Random.Next(8) != 0)
            {
                FinishParked();
                continue;
            }

            return result.Raw;
        }
    }

    private long UpdateEntry(ulong slot, ulong entry, uint domains)
    {
        MmuUpdate request;
        request.Ptr = slot;
        request.Val = entry;
        _ = _host.Put(request, _arguments);
        return Call(HypercallNumber.MmuUpdate, _arguments, 1, 0, domains);
    }

    /// <summary>A store by the guest itself, which it can do only to what may be writable.</summary>
    private string Store()
    {
        ulong frame = AnyFrame();
        PageInfo* page = FrameTable.Page(new Mfn(frame));
        bool mayWrite = (page->Type & PageType.Mask) is PageType.None or PageType.Writable
            && (page->Type & PageType.Partial) == 0 && page->Owner == _domain.Id && page->State == FrameState.Used;
        if (!mayWrite)
        {
            return "store to a table";
        }

        if (Random.Next(4) == 0)
        {
            Hypervisor.Machine.Zero(Hypervisor.Machine.Direct(new Mfn(frame)), (nuint)MemoryLayout.PageSize);
            return $"clear {frame:x}";
        }

        int index = AnyIndex();
        ulong entry = AnyEntry();
        ((ulong*)Hypervisor.Machine.Direct(new Mfn(frame)))[index] = entry;
        return $"store {frame:x} {index} = {entry:x}";
    }

    private string Update()
    {
        ulong type = Random.Next(5) == 0 ? (ulong)MmuUpdateType.PtUpdatePreserveAd : 0;
        ulong slot = (AnyFrameOrNone() << 12) | ((ulong)AnyIndex() << 3) | type;
        ulong entry = AnyEntry();
        return $"update {slot:x} = {entry:x}: {UpdateEntry(slot, entry, Self)}";
    }

    private string Extended(int command)
    {
        ulong frame = AnyFrameOrNone();
        return $"{(MmuExtCommand)command} {frame:x}: {Extended((MmuExtCommand)command, frame, Self)}";
    }

    private string UpdateMapping()
    {
        if (Vcpu->KernelRoot.IsNone)
        {
            return "no root";
        }

        ulong address = AnyAddress();
        ulong entry = AnyEntry();
        ulong flush = (ulong)(uint)Random.Next(3) | (Random.Next(2) == 0 ? UpdateVaMappingFlags.All : 0);
        return $"map {address:x} = {entry:x}: {Call(HypercallNumber.UpdateVaMapping, address, entry, flush)}";
    }

    private string SetGdt()
    {
        ulong first = AnyFrameOrNone();
        ulong second = AnyFrameOrNone();
        uint entries = (uint)Random.Next(1025);
        _ = _host.PutList(_list, first, second);
        return $"gdt {first:x} {second:x} {entries}: {Call(HypercallNumber.SetGdt, _list, entries)}";
    }

    private string Decrease(uint domain = Self)
    {
        if (_domain.Frames.Count <= _domain.Size / 2)
        {
            return "enough is gone";
        }

        ulong frame = AnyFrame();
        long done = Reservation(MemoryCommand.DecreaseReservation, frame, domain);
        if (done == 1)
        {
            _ = _domain.Frames.Remove(frame);
        }

        return $"decrease {frame:x}: {done}";
    }

    private string Populate(uint domain = Self)
    {
        long done = Reservation(MemoryCommand.PopulatePhysMap, 5, domain);
        ulong frame = _host.At<ulong>(_list)[0];
        if (done == 1)
        {
            _domain.Frames.Add(frame);
        }

        return $"populate {frame:x}: {done}";
    }

    /// <summary>Two frames for a pair, a pair for two frames, or one for one.</summary>
    private string Exchange()
    {
        ulong first = AnyFrame();
        int shape = Random.Next(3);
        ulong second = shape == 2 ? first + 1 : AnyFrame();
        MemoryExchange exchange = default;
        exchange.In.ExtentStart = _list;
        exchange.In.Domid = DomId.Self;
        exchange.Out.ExtentStart = _list + 64;
        exchange.Out.Domid = DomId.Self;
        exchange.In.NrExtents = shape == 1 ? 2UL : 1UL;
        exchange.In.ExtentOrder = shape == 2 ? 1u : 0;
        exchange.Out.NrExtents = shape == 2 ? 2UL : 1UL;
        exchange.Out.ExtentOrder = shape == 1 ? 1u : 0;
        _ = _host.PutList(_list, first, second);
        _ = _host.PutList(_list + 64, 7, 8);
        _ = _host.Put(exchange, _arguments);
        long result = Call(HypercallNumber.MemoryOp, (ulong)MemoryCommand.Exchange, _arguments);
        if (result == 0)
        {
            _ = _domain.Frames.Remove(first);
            _ = shape != 0 && _domain.Frames.Remove(second);
            ulong* got = _host.At<ulong>(_list + 64);
            _domain.Frames.Add(got[0]);
            if (shape != 0)
            {
                _domain.Frames.Add(shape == 1 ? got[0] + 1 : got[1]);
            }
        }

        return $"exchange {first:x} {second:x} shape {shape}: {result}";
    }

    /// <summary>A store through a mapping, as the processor refuses it: to a table it is emulated.</summary>
    private string EmulatedStore()
    {
        if (Vcpu->KernelRoot.IsNone)
        {
            return "no root";
        }

        byte[] code = Random.Next(5) switch
        {
            0 => [0x48, 0x87, 0x07],                   // xchg [rdi], rax
            1 => [0x48, 0x89, 0x07],                   // mov [rdi], rax
            2 => [0xF0, 0x48, 0x0F, 0xB1, 0x0F],       // lock cmpxchg [rdi], rcx
            3 => [0xF0, 0x80, 0x27, 0xFD],             // lock and byte [rdi], ~2
            _ => [0xF0, 0x48, 0x0F, 0xBA, 0x2F, 0x01], // lock bts qword [rdi], 1
        };
        for (int index = 0; index < code.Length; index++)
        {
            _host.At<byte>(_code)[index] = code[index];
        }

        // Mostly through a mapping of a table.
        ulong address = AnyAddress();
        for (int attempt = 0; attempt < 6; attempt++)
        {
            ulong* slot = GuestWalk.LeafSlot(Vcpu->KernelRoot, address, out _);
            bool isTable = slot != null && (*slot & (Pte.Present | Pte.Writable)) == Pte.Present
                && Pte.FrameOf(*slot).Raw < FrameTable.Frames
                && PageType.LevelOf(FrameTable.Page(Pte.FrameOf(*slot))->Type) == 1;
            address = isTable ? address : AnyAddress();
        }

        address |= (ulong)AnyIndex() << 3;
        CpuUserRegs frame = default;
        frame.Rip = _code;
        frame.Rdi = address;
        frame.Rax = AnyEntry();
        frame.Rcx = AnyEntry();
        frame.Cs = GuestBounce.FlatKernelCs;
        frame.Ss = GuestBounce.FlatKernelSs;
        frame.Rsp = _stack;
        frame.ErrorCode = 7; // a write in user mode to a page that is there
        PageFault.FromGuest(Vcpu, &frame, address);
        return $"emulated store {code[^2]:x} to {address:x} = {frame.Rax:x}: {frame.Rip != 0x1000}";
    }

    /// <summary>The domain writes to its grant table.</summary>
    private string Grant()
    {
        GrantEntryV1* entry = _domain.Domain->Grants.Frames[0] + Random.Next(References);
        if (Random.Next(4) == 0)
        {
            entry->Flags = (ushort)Random.Next(4);
            return "grant changed";
        }

        entry->Frame = (uint)(Random.Next(8) == 0 ? AnyFrameOrNone() : AnyFrame());
        entry->Domid = new DomId((ushort)_domain.Peer.Id);
        entry->Flags = (ushort)(GrantEntryFlags.PermitAccess | (Random.Next(3) == 0 ? GrantEntryFlags.ReadOnly : 0));
        return $"grant {entry->Frame:x}";
    }

    private string MapGrant()
    {
        bool byPte = Vcpu->KernelRoot.IsNone || Random.Next(2) == 0;
        GrantTableMapGrantRef request = default;
        request.HostAddr = byPte ? AnySlot() : AnyAddress();
        request.Flags = (byPte ? GrantMapFlags.ContainsPte : 0)
            | (Random.Next(8) != 0 ? GrantMapFlags.HostMap : 0)
            | (Random.Next(4) == 0 ? GrantMapFlags.DeviceMap : 0)
            | (Random.Next(3) == 0 ? GrantMapFlags.ReadOnly : 0);
        request.Ref = new GrantRef((uint)Random.Next(References));
        request.Dom = new DomId((ushort)_domain.Peer.Id);
        _ = _host.Put(request, _arguments);
        long result = Call(HypercallNumber.GrantTableOp, (ulong)GrantTableCommand.MapGrantRef, _arguments, 1);
        request = *_host.At<GrantTableMapGrantRef>(_arguments);
        if (result == 0 && request.Status == (short)GrantStatus.Okay)
        {
            _domain.Mappings.Add((request.Handle, request.HostAddr));
        }

        return $"map grant {request.Ref.Raw} at {request.HostAddr:x}, flags {request.Flags:x}: {request.Status}";
    }

    private string UnmapGrant()
    {
        GrantTableUnmapGrantRef request = default;
        request.Handle = (uint)Random.Next(4);
        request.HostAddr = AnyFrameOrNone() << 12;
        if (_domain.Mappings.Count != 0 && Random.Next(4) != 0)
        {
            (request.Handle, request.HostAddr) = _domain.Mappings[Random.Next(_domain.Mappings.Count)];
        }

        _ = _host.Put(request, _arguments);
        long result = Call(HypercallNumber.GrantTableOp, (ulong)GrantTableCommand.UnmapGrantRef, _arguments, 1);
        request = *_host.At<GrantTableUnmapGrantRef>(_arguments);
        if (result == 0 && request.Status == (short)GrantStatus.Okay)
        {
            _ = _domain.Mappings.RemoveAll(mapping => mapping.Handle == request.Handle);
        }

        return $"unmap grant {request.Handle} at {request.HostAddr:x}: {request.Status}";
    }

    private string CopyGrant()
    {
        GrantTableCopy request = default;
        bool writes = Random.Next(2) == 0;
        GrantTableCopyPtr granted = new()
        {
            Ref = new GrantRef((uint)Random.Next(References)),
            Domid = new DomId((ushort)_domain.Peer.Id),
        };
        GrantTableCopyPtr own = new() { Gmfn = AnyFrameOrNone(), Domid = DomId.Self };
        request.Source = writes ? own : granted;
        request.Dest = writes ? granted : own;
        request.Len = 64;
        request.Flags = (ushort)(writes ? GrantCopyFlags.DestGrantRef : GrantCopyFlags.SourceGrantRef);
        _ = _host.Put(request, _arguments);
        _ = Call(HypercallNumber.GrantTableOp, (ulong)GrantTableCommand.Copy, _arguments, 1);
        return $"copy grant {granted.Ref.Raw}: {_host.At<GrantTableCopy>(_arguments)->Status}";
    }

    /// <summary>A few are asked for oftener than the others: they are to be everything in turn.</summary>
    private ulong AnyFrame() => Random.Next(2) == 0
        ? _domain.Frames[^(1 + Random.Next(3))]
        : _domain.Frames[Random.Next(_domain.Frames.Count)];

    /// <summary>The machine address of an entry, mostly of a level-1 table.</summary>
    private ulong AnySlot()
    {
        ulong frame = AnyFrameOrNone();
        for (int attempt = 0; attempt < 4; attempt++)
        {
            bool isTable = frame < FrameTable.Frames
                && (FrameTable.Page(new Mfn(frame))->Type & (PageType.Mask | PageType.Validated))
                    == (PageType.L1 | PageType.Validated);
            frame = isTable ? frame : AnyFrameOrNone();
        }

        return (frame << 12) | ((ulong)AnyIndex() << 3);
    }

    private ulong AnyFrameOrNone() => Random.Next(40) switch
    {
        0 => _otherFrame,
        1 => FrameTable.Frames + 7,
        2 => 0xF_FFFF_FFFF,
        3 => 0x10,
        4 => _domain.SharedInfo,
        5 => Mfn.OfAddress(Hypervisor.Machine.PhysicalOf(Vcpu)).Raw,
        6 => 0,
        _ => AnyFrame(),
    };

    private int AnyIndex() => Random.Next(12) switch
    {
        0 => 511,
        1 => 256,
        2 => 271,
        3 => 272,
        _ => Random.Next(3),
    };

    /// <summary>Mostly one whose tables are there.</summary>
    private ulong AnyAddress()
    {
        ulong address = 0;
        ulong table = Vcpu->KernelRoot.Raw;
        bool isBlind = Random.Next(4) == 0;
        for (int level = 4; level >= 1; level--)
        {
            int index = AnyIndex();
            if (!isBlind && level > 1)
            {
                ulong* slots = (ulong*)Hypervisor.Machine.Direct(new Mfn(table));
                List<int> present = [];
                foreach (int candidate in (int[])[0, 1, 2, 272, 511])
                {
                    if ((slots[candidate] & Pte.Present) != 0)
                    {
                        present.Add(candidate);
                    }
                }

                isBlind = present.Count == 0;
                index = isBlind ? index : present[Random.Next(present.Count)];
                table = Pte.FrameOf(slots[index]).Raw;
            }

            address |= (ulong)index << (3 + (9 * level));
        }

        return (ulong)((long)(address << 16) >> 16);
    }

    private ulong AnyEntry()
    {
        if (Random.Next(5) == 0)
        {
            return 0;
        }

        ulong entry = Pte.Make(new Mfn(AnyFrameOrNone()), Pte.Present);
        entry |= Random.Next(2) == 0 ? Pte.Writable : 0;
        entry |= Random.Next(2) == 0 ? Pte.User : 0;
        entry |= Random.Next(30) == 0 ? Pte.PageSize : 0;
        entry |= Random.Next(30) == 0 ? Pte.Global : 0;
        entry |= Random.Next(30) == 0 ? Pte.CacheDisable : 0;
        entry |= Random.Next(30) == 0 ? 1UL << 61 : 0;
        entry |= Random.Next(10) == 0 ? Pte.NoExecute : 0;
        entry |= Random.Next(10) == 0 ? 1UL << 52 : 0;
        entry |= Random.Next(10) == 0 ? Pte.Accessed | Pte.Dirty : 0;
        return Random.Next(20) == 0 ? entry & ~Pte.Present : entry;
    }
}
