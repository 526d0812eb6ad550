// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using Hypervisor.Core.Diagnostics;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>
/// A hostile guest: random requests about a few frames, so that they collide all the time. After each the frame
/// table is
/// compared with a count from scratch (<see cref="PageModel"/>); at the end the domain is destroyed, and all memory
/// must be back.
/// </summary>
public sealed unsafe class PageTypeModelTests
{
    private const int Frames = 24;

    private TestHost _host;
    private readonly List<ulong> _frames = [];
    private Random _random;
    private Domain* _guest;
    private Domain* _other;
    private Vcpu* _vcpu;
    private ulong _otherFrame;
    private ulong _toolsTable;

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(100)]
    public void No_sequence_of_requests_breaks_a_count(int preemptionPercent)
    {
        for (int seed = 0; seed < 60; seed++)
        {
            ulong before = Start((1000 * preemptionPercent) + seed, preemptionPercent);
            for (int step = 0; step < 800; step++)
            {
                string request = Step();
                IReadOnlyList<string> complaints =
                    PageModel.Check((nint)_host.Dom0, (nint)_guest, (nint)_other);
                Assert.True(
                    complaints.Count == 0, $"seed {seed} step {step}: {request}: {string.Join("; ", complaints)}");
            }

            End(before);
        }
    }

    /// <summary>Without the comparison at each step many more steps are possible; what went wrong shows at the
    /// end.</summary>
    [Theory]
    [InlineData(5)]
    [InlineData(60)]
    public void All_memory_comes_back_after_a_long_life(int preemptionPercent)
    {
        for (int seed = 0; seed < 300; seed++)
        {
            ulong before = Start((1000 * preemptionPercent) + 500 + seed, preemptionPercent);
            for (int step = 0; step < 1500; step++)
            {
                _ = Step();
            }

            IReadOnlyList<string> complaints = PageModel.Check((nint)_host.Dom0, (nint)_guest, (nint)_other);
            Assert.True(complaints.Count == 0, $"seed {seed}: {string.Join("; ", complaints)}");

            // The running system's own recount sees the same.
            FakeMachine.Cpu.Cr3 = 0;
            _host.Machine.OnInterruptWindow = null;
            _host.Machine.ClearConsole();
            Assert.True(Recount.TryRun(out _, out ulong mismatches));
            Assert.True(mismatches == 0, $"seed {seed}: {_host.Machine.Console}");
            End(before);
        }
    }

    /// <summary>The test is worth something only if the requests do succeed now and then.</summary>
    [Fact]
    public void Random_requests_get_as_far_as_whole_address_spaces()
    {
        _ = Start(7, 20);
        int pinned = 0;
        int running = 0;
        for (int step = 0; step < 3000; step++)
        {
            _ = Step();
            running += _guest->VcpuOf(0)->KernelRoot.IsNone ? 0 : 1;
            foreach (ulong frame in _frames)
            {
                ulong type = FrameTable.Page(new Mfn(frame))->Type;
                pinned += (type & PageType.Pinned) != 0 && PageType.LevelOf(type) == 4 ? 1 : 0;
            }
        }

        Assert.True(pinned > 100, $"{pinned} pinned roots");
        Assert.True(running > 100, $"{running} steps with a root");
    }

    /// <summary>A new machine; gives its free memory before the guest was made.</summary>
    private ulong Start(int seed, int preemptionPercent)
    {
        _random = new Random(seed);
        _host = new TestHost(memory: 3 << 20);
        _frames.Clear();
        ulong before = PageAllocator.FreeFrames;
        _guest = _host.AddDomain(Frames, vcpus: 2);
        _other = _host.AddDomain(4);
        _vcpu = _guest->VcpuOf(0);
        foreach (Mfn mfn in TestHost.Populate(_guest, Frames))
        {
            _frames.Add(mfn.Raw);
        }

        _otherFrame = TestHost.Populate(_other, 1)[0].Raw;
        _toolsTable = TestHost.Populate(_host.Dom0, 1)[0].Raw;
        TestHost.Run(_host.Caller);
        Assert.Equal(0, PinAs(_host.Caller, MmuExtCommand.PinL1Table, _toolsTable, 0x7FF0));
        _host.Machine.OnInterruptWindow = () =>
        {
            if (_random.Next(100) < preemptionPercent)
            {
                Hypervisor.Machine.Cpu->SoftIrqPending |= SoftIrq.Schedule;
            }
        };
        return before;
    }

    private void End(ulong before)
    {
        TestHost.Run(_host.Caller);
        _host.Machine.OnInterruptWindow = null;
        FakeMachine.Cpu.Cr3 = 0;
        while (PageTables.HasParked(_host.Caller))
        {
            PageTables.ContinueParked(_host.Caller);
        }

        uint guest = _guest->Id;
        // While the tools still have frames mapped, only those are left of a destroyed domain.
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, guest));
        IReadOnlyList<string> complaints = DomainTable.Peek(guest) != null
            ? PageModel.Check((nint)_host.Dom0, (nint)_guest, (nint)_other)
            : PageModel.Check((nint)_host.Dom0, (nint)_other);
        Assert.True(complaints.Count == 0, $"after destruction: {string.Join("; ", complaints)}");
        Assert.Equal(0, PinAs(_host.Caller, MmuExtCommand.UnpinTable, _toolsTable, 0x7FF0));
        _ = _host.PutList(TestHost.ListAddress, _toolsTable);
        Assert.Equal(1, Reservation(_host.Caller, MemoryCommand.DecreaseReservation, DomId.Self));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, _other->Id));
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    private string Step()
    {
        // The guest sees physical memory again, whatever root it has loaded.
        FakeMachine.Cpu.Cr3 = 0;
        Hypervisor.Machine.Cpu->SoftIrqPending = 0;
        _vcpu = _random.Next(6) == 0 ? _host.Caller : _guest->VcpuOf((ulong)_random.Next(2));
        TestHost.Run(_vcpu);
        if (PageTables.HasParked(_vcpu) && _random.Next(3) != 0)
        {
            PageTables.ContinueParked(_vcpu);
            return "continue parked";
        }

        if (_vcpu == _host.Caller)
        {
            return Tools();
        }

        switch (_random.Next(17))
        {
            case 0:
            case 1:
            case 2:
                return Write();
            case 3:
            case 4:
            case 5:
            case 6:
                return Update();
            case 7:
            case 8:
                return Extended(_random.Next(4), "pin");
            case 9:
                return Extended((int)MmuExtCommand.UnpinTable, "unpin");
            case 10:
                return Extended((int)MmuExtCommand.NewBasePtr, "new root");
            case 11:
                return Extended((int)MmuExtCommand.NewUserBasePtr, "new user root");
            case 12:
                return UpdateMapping();
            case 13:
                return SetGdt();
            case 14:
                return Decrease();
            case 15:
                return Exchange();
            default:
                return Populate();
        }
    }

    /// <summary>What the tools do to a guest: map its frames, write to its tables, pin them, give and take
    /// memory.</summary>
    private string Tools()
    {
        uint guest = _guest->Id;
        MmuUpdate request;
        CpuUserRegs frame = default;
        switch (_random.Next(5))
        {
            case 0:
                request.Ptr = (_toolsTable << 12) | ((ulong)_random.Next(8) << 3);
                request.Val = AnyEntry();
                _host.Put(request);
                return $"tools map {request.Val:x}: "
                    + MmuUpdateOps.Run(_vcpu, TestHost.RequestAddress, 1, 0, guest, &frame).Raw;
            case 1:
                request.Ptr = (AnyFrameOrNone() << 12) | ((ulong)AnyIndex() << 3);
                request.Val = AnyEntry();
                _host.Put(request);
                return $"tools update {request.Ptr:x} = {request.Val:x}: " + MmuUpdateOps.Run(
                    _vcpu, TestHost.RequestAddress, 1, 0, guest | ((guest + 1) << 16), &frame).Raw;
            case 2:
            case 3:
                MmuExtCommand command = (MmuExtCommand)_random.Next(5);
                ulong table = AnyFrameOrNone();
                return $"tools {command} {table:x}: {PinAs(_vcpu, command, table, guest)}";
            default:
                ulong given = AnyFrame();
                _ = _host.PutList(TestHost.ListAddress, given);
                bool takes = _frames.Count > Frames / 2 && _random.Next(2) == 0;
                MemoryCommand operation = takes ? MemoryCommand.DecreaseReservation : MemoryCommand.PopulatePhysMap;
                long done = Reservation(_vcpu, operation, new DomId((ushort)guest));
                if (done == 1 && takes)
                {
                    _ = _frames.Remove(given);
                }
                else if (done == 1)
                {
                    _frames.Add(_host.At<ulong>(TestHost.ListAddress)[0]);
                }

                return $"tools take or give: {done}";
        }
    }

    private long PinAs(Vcpu* vcpu, MmuExtCommand command, ulong table, uint domain)
    {
        MmuExtOp operation = default;
        operation.Cmd = (uint)command;
        operation.Arg1Mfn = table;
        _host.Put(operation);
        CpuUserRegs frame = default;
        return MmuExtOps.Run(vcpu, TestHost.RequestAddress, 1, 0, domain, &frame).Raw;
    }

    /// <summary>Two frames for a pair, a pair for two frames, or one for one.</summary>
    private string Exchange()
    {
        ulong first = AnyFrame();
        ulong second = AnyFrame();
        int shape = _random.Next(3);
        MemoryExchange exchange = default;
        exchange.In.ExtentStart = TestHost.ListAddress;
        exchange.In.Domid = DomId.Self;
        exchange.Out.ExtentStart = TestHost.ListAddress + 64;
        exchange.Out.Domid = DomId.Self;
        exchange.In.NrExtents = shape == 0 ? 1UL : shape == 1 ? 2UL : 1UL;
        exchange.In.ExtentOrder = shape == 2 ? 1u : 0;
        exchange.Out.NrExtents = shape == 2 ? 2UL : 1UL;
        exchange.Out.ExtentOrder = shape == 1 ? 1u : 0;
        second = shape == 2 ? first + 1 : second;
        _ = _host.PutList(TestHost.ListAddress, first, second);
        _ = _host.PutList(TestHost.ListAddress + 64, 7, 8);
        _host.Put(exchange);
        CpuUserRegs frame = default;
        long result = MemoryOps.Dispatch(_vcpu, (ulong)MemoryCommand.Exchange, TestHost.RequestAddress, &frame).Raw;
        if (result == 0)
        {
            _ = _frames.Remove(first);
            _ = shape != 0 && _frames.Remove(second);
            ulong* got = _host.At<ulong>(TestHost.ListAddress + 64);
            _frames.Add(got[0]);
            if (shape != 0)
            {
                _frames.Add(shape == 1 ? got[0] + 1 : got[1]);
            }
        }

        return $"exchange {first:x} {second:x} shape {shape}: {result}";
    }

    /// <summary>A store by the guest itself, which it can do only to what may be writable.</summary>
    private string Write()
    {
        ulong frame = AnyFrame();
        ulong type = FrameTable.Page(new Mfn(frame))->Type;
        if ((type & PageType.Mask) is not (PageType.None or PageType.Writable) || (type & PageType.Partial) != 0)
        {
            return "store to a table";
        }

        if (_random.Next(4) == 0)
        {
            Hypervisor.Machine.Zero(Hypervisor.Machine.Direct(new Mfn(frame)), (nuint)MemoryLayout.PageSize);
            return "clear";
        }

        ((ulong*)Hypervisor.Machine.Direct(new Mfn(frame)))[AnyIndex()] = AnyEntry();
        return "store";
    }

    private string Update()
    {
        ulong type = _random.Next(5) == 0 ? (ulong)MmuUpdateType.PtUpdatePreserveAd : 0;
        MmuUpdate request;
        request.Ptr = (AnyFrameOrNone() << 12) | ((ulong)AnyIndex() << 3) | type;
        request.Val = AnyEntry();
        _host.Put(request);
        CpuUserRegs frame = default;
        HypercallResult result = MmuUpdateOps.Run(
            _vcpu, TestHost.RequestAddress, 1, 0, 0x7FF0, &frame);
        return $"update {request.Ptr:x} = {request.Val:x}: {result.Raw}";
    }

    private string Extended(int command, string name)
    {
        MmuExtOp operation = default;
        operation.Cmd = (uint)command;
        operation.Arg1Mfn = AnyFrameOrNone();
        _host.Put(operation);
        CpuUserRegs frame = default;
        HypercallResult result = MmuExtOps.Run(_vcpu, TestHost.RequestAddress, 1, 0, 0x7FF0, &frame);
        return $"{name} {command} {operation.Arg1Mfn:x}: {result.Raw}";
    }

    private string UpdateMapping()
    {
        if (_vcpu->KernelRoot.IsNone)
        {
            return "no root";
        }

        ulong address = ((ulong)AnyIndex() << 39) | ((ulong)AnyIndex() << 30) | ((ulong)AnyIndex() << 21)
            | ((ulong)AnyIndex() << 12);
        address = (ulong)((long)(address << 16) >> 16);
        ulong entry = AnyEntry();
        return $"map {address:x} = {entry:x}: {VaMappingOps.Run(_vcpu, address, entry, 0).Raw}";
    }

    private string SetGdt()
    {
        ulong* frames = stackalloc ulong[2];
        frames[0] = AnyFrameOrNone();
        frames[1] = AnyFrameOrNone();
        uint entries = (uint)_random.Next(1025);
        return $"gdt {frames[0]:x} {frames[1]:x} {entries}: {DescriptorTables.SetGdt(_vcpu, frames, entries)}";
    }

    private string Decrease()
    {
        if (_frames.Count < Frames / 2)
        {
            return "enough is gone";
        }

        ulong frame = AnyFrame();
        _ = _host.PutList(TestHost.ListAddress, frame);
        long done = Reservation(_vcpu, MemoryCommand.DecreaseReservation, DomId.Self);
        if (done == 1)
        {
            _ = _frames.Remove(frame);
        }

        return $"decrease {frame:x}: {done}";
    }

    private string Populate()
    {
        _ = _host.PutList(TestHost.ListAddress, 5);
        long done = Reservation(_vcpu, MemoryCommand.PopulatePhysMap, DomId.Self);
        ulong frame = _host.At<ulong>(TestHost.ListAddress)[0];
        if (done == 1)
        {
            _frames.Add(frame);
        }

        return $"populate {frame:x}: {done}";
    }

    private long Reservation(Vcpu* vcpu, MemoryCommand command, DomId domain)
    {
        MemoryReservation reservation = default;
        reservation.ExtentStart = TestHost.ListAddress;
        reservation.NrExtents = 1;
        reservation.Domid = domain;
        _host.Put(reservation);
        CpuUserRegs frame = default;
        return MemoryOps.Dispatch(vcpu, (ulong)command, TestHost.RequestAddress, &frame).Raw;
    }

    private ulong AnyFrame() => _frames[_random.Next(_frames.Count)];

    private ulong AnyFrameOrNone() => _random.Next(40) switch
    {
        0 => _otherFrame,
        1 => FrameTable.Frames + 7,
        2 => 0xF_FFFF_FFFF,
        3 => 0x10,
        4 => _guest->SharedInfoFrame.Raw,
        5 => Mfn.OfAddress(Hypervisor.Machine.PhysicalOf(_vcpu)).Raw,
        6 => 0,
        _ => AnyFrame(),
    };

    private int AnyIndex() => _random.Next(12) switch
    {
        0 => 511,
        1 => 256,
        2 => 271,
        3 => 272,
        _ => _random.Next(3),
    };

    private ulong AnyEntry()
    {
        if (_random.Next(5) == 0)
        {
            return 0;
        }

        ulong entry = Pte.Make(new Mfn(AnyFrameOrNone()), Pte.Present);
        entry |= _random.Next(2) == 0 ? Pte.Writable : 0;
        entry |= _random.Next(2) == 0 ? Pte.User : 0;
        entry |= _random.Next(30) == 0 ? Pte.PageSize : 0;
        entry |= _random.Next(30) == 0 ? Pte.Global : 0;
        entry |= _random.Next(30) == 0 ? Pte.CacheDisable : 0;
        entry |= _random.Next(30) == 0 ? 1UL << 61 : 0;
        entry |= _random.Next(10) == 0 ? Pte.NoExecute : 0;
        entry |= _random.Next(10) == 0 ? 1UL << 52 : 0;
        entry |= _random.Next(10) == 0 ? Pte.Accessed | Pte.Dirty : 0;
        return _random.Next(20) == 0 ? entry & ~Pte.Present : entry;
    }
}
