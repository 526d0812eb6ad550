// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Hypervisor.Core.Control;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Hypercalls;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Control;

/// <summary>What is told is there, what is not there answers ENOSYS, and docs/hypercalls.md knows which is which.</summary>
public sealed unsafe partial class CapabilityTests
{
    private const uint Tried = 128;
    private const ulong Iret = (ulong)HypercallNumber.Iret;
    private const uint Self = 0x7FF0;

    /// <summary>Calls that answer ENOSYS as long as something is missing which these tests do not have: UEFI, a memory map, an
    /// event queue.</summary>
    private static readonly (ulong, uint)[] s_conditional =
    [
        ((ulong)HypercallNumber.PlatformOp, (uint)PlatformCommand.EfiRuntimeCall),
        ((ulong)HypercallNumber.MemoryOp, (uint)MemoryCommand.MemoryMap),
        ((ulong)HypercallNumber.EventChannelOp, (uint)EventChannelCommand.SetPriority),
    ];

    private TestHost _host;
    private Domain* _guest;
    private uint _guestId;

    private static readonly ulong[] s_multiplexers =
    [
        (ulong)HypercallNumber.PlatformOp, (ulong)HypercallNumber.MemoryOp, (ulong)HypercallNumber.XenVersion,
        (ulong)HypercallNumber.GrantTableOp, (ulong)HypercallNumber.VcpuOp, (ulong)HypercallNumber.MmuExtOp,
        (ulong)HypercallNumber.SchedOp, (ulong)HypercallNumber.EventChannelOp, (ulong)HypercallNumber.PhysDevOp,
        (ulong)HypercallNumber.SysCtl, (ulong)HypercallNumber.DomCtl,
    ];

    public static TheoryData<ulong> Multiplexers => [.. s_multiplexers];

    [Fact]
    public void The_numbers_that_answer_are_those_that_the_page_says()
    {
        List<ulong> answered = [Iret];
        for (ulong number = 0; number < Tried; number++)
        {
            Start();
            if (number != Iret && (IsMultiplexer(number) || IsAnswered(number, 0, 0, 0)))
            {
                answered.Add(number);
            }
        }

        Assert.Equal(Listed(@"^\| 0 set_trap_table").Select(number => (ulong)number), answered.Order());
    }

    [Theory]
    [MemberData(nameof(Multiplexers))]
    public void The_sub_operations_that_answer_are_those_that_the_page_says(ulong call)
    {
        List<uint> answered = [.. s_conditional.Where(one => one.Item1 == call).Select(one => one.Item2)];
        Start();
        for (uint command = 0; command < (call == (ulong)HypercallNumber.MemoryOp ? 64 : Tried); command++)
        {
            if (!answered.Contains(command) && IsAnswered(call, command))
            {
                answered.Add(command);
            }

            if (DomainTable.Peek(_guestId) == null)
            {
                Start();
            }
        }

        Assert.Equal(Listed($@"^\| {call} \w+ \| "), answered.Order());
    }

    /// <summary>To a guest that may not make a call it says so only where there is one.</summary>
    [Fact]
    public void What_there_is_not_is_not_there_for_guests_either()
    {
        Start();
        List<uint> answered = [];
        TestHost.Run(_guest->VcpuOf(0));
        for (uint command = 0; command < Tried; command++)
        {
            if (IsAnswered(_guest->VcpuOf(0), (ulong)HypercallNumber.PhysDevOp, command, TestHost.RequestAddress, 0))
            {
                answered.Add(command);
            }
        }

        Assert.Equal(Listed(@"^\| 33 physdev_op \| "), answered);
    }

    /// <summary>Each feature is shown to work; a new one has to bring its proof.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_feature_that_is_told_is_there(bool isDom0)
    {
        Start();
        Dictionary<XenFeature, Func<bool>> proofs = new()
        {
            [XenFeature.PaePgdirAboveFourGb] = () => MmuExt(MmuExtCommand.PinL4Table, NewFrame()) == 0,
            [XenFeature.MmuPtUpdatePreserveAd] = PreservesAccessedAndDirty,
            [XenFeature.HighmemAssist] = () =>
                MmuExt(MmuExtCommand.ClearPage, NewFrame()) == 0
                && MmuExt(MmuExtCommand.CopyPage, NewFrame(), NewFrame().Raw) == 0,
            [XenFeature.GrantTableMapAvailBits] = KeepsBitsOfGrantMappings,
            [XenFeature.MemoryOpVNodeSupported] = () => Populate(memoryFlags: 1u << 18) == 1, // XENMEMF_vnode, node 0
            [XenFeature.DirectMapped] = () => Populate(0) == 1 && FrameTable.Page(new Mfn(_host.At<ulong>(TestHost.ListAddress)[0]))->Owner == 0,
            [XenFeature.Dom0] = () => isDom0,
        };
        uint told = XenFeatures.ForPv(isDom0);
        for (int bit = 0; bit < 32; bit++)
        {
            if ((told >> bit & 1) != 0)
            {
                Assert.True(proofs.TryGetValue((XenFeature)bit, out Func<bool> proof), $"feature {bit} has no proof");
                Assert.True(proof(), $"feature {(XenFeature)bit} is told and not there");
            }
        }
    }

    [Fact]
    public void The_machine_has_the_capabilities_that_it_tells_and_no_others()
    {
        Start();
        *_host.At<SysCtl>() = default;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.PhysInfo));
        SysCtlPhysInfo info = _host.At<SysCtl>()->PhysInfo;
        Assert.Equal(PhysicalCapabilities.Pv | PhysicalCapabilities.GrantTableV1, info.Capabilities);
        Assert.Equal(0u, info.ArchCapabilities);

        // Version 1 of grant tables and no other; neither HVM nor log-dirty, which would need shadow tables.
        Assert.Equal(0, SetVersion(1));
        Assert.Equal(-(long)Errno.NoSys, SetVersion(2));
        *_host.At<DomCtl>() = default;
        Assert.Equal(
            -(long)Errno.OpNotSupp,
            _host.DomCtl(DomCtlCommand.ShadowOp, _guest->Id, () => _host.At<DomCtl>()->ShadowOp.Op = 2));
        *_host.At<DomCtl>() = default;
        Assert.Equal(
            -(long)Errno.OpNotSupp,
            _host.DomCtl(DomCtlCommand.CreateDomain, 0, () =>
            {
                _host.At<DomCtl>()->CreateDomain.Flags = CreateDomainFlags.Hvm;
                _host.At<DomCtl>()->CreateDomain.MaxVcpus = 1;
            }));
    }

    /// <summary>A table that serves as one of another level, its own or the next one down, read-only or not.</summary>
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Linear_page_tables_are_refused(int level)
    {
        foreach (ulong rights in (ulong[])[Pte.Present | Pte.User, Pte.Present | Pte.User | Pte.Writable])
        {
            Start();
            Mfn table = NewFrame();
            Entries(table)[5] = Pte.Make(table, rights);
            Assert.Equal(-(long)Errno.Inval, MmuExt((MmuExtCommand)(level - 1), table));
            Entries(table)[5] = 0;
            Assert.Equal(0, MmuExt((MmuExtCommand)(level - 1), table));
            Assert.Equal(-(long)Errno.Inval, Update(table.Address + 40, Pte.Make(table, rights)));
            Assert.Equal(0ul, Entries(table)[5]);
        }
    }

    /// <summary>Whether those answer is up to their sub-operations.</summary>
    private static bool IsMultiplexer(ulong number) => s_multiplexers.Contains(number);

    private static ulong* Entries(Mfn table) => (ulong*)Machine.Direct(table);

    private void Start()
    {
        _host = new TestHost();
        _host.Machine.IsGuestMemoryPhysical = true;
        _guest = _host.AddDomain();
        _guestId = _guest->Id;
        Mfn root = NewFrame();
        Assert.Equal(0, MmuExt(MmuExtCommand.NewBasePtr, root));
    }

    private Mfn NewFrame() => TestHost.Populate(_host.Dom0, 1)[0];

    /// <summary>A sub-operation with arguments that are all zero.</summary>
    private bool IsAnswered(ulong call, uint command)
    {
        const ulong At = TestHost.RequestAddress;
        Machine.Zero(_host.At<byte>(), 4096);
        switch ((HypercallNumber)call)
        {
            case HypercallNumber.MmuExtOp:
                _host.At<MmuExtOp>()->Cmd = command;
                return IsAnswered(call, At, 1, 0);
            case HypercallNumber.PlatformOp:
                _host.At<PlatformOp>()->Cmd = command;
                _host.At<PlatformOp>()->InterfaceVersion = PlatformInterface.Version;
                return IsAnswered(call, At, 0, 0);
            case HypercallNumber.SysCtl:
                _host.At<SysCtl>()->Cmd = command;
                _host.At<SysCtl>()->InterfaceVersion = SysCtlInterface.Version;
                if (command == (uint)SysCtlCommand.CpuPoolOp)
                {
                    _host.At<SysCtl>()->CpuPoolOp.Op = (uint)CpuPoolCommand.Info;
                }

                return IsAnswered(call, At, 0, 0);
            case HypercallNumber.DomCtl:
                _host.At<DomCtl>()->Cmd = command;
                _host.At<DomCtl>()->InterfaceVersion = DomCtlInterface.Version;
                _host.At<DomCtl>()->Domain = new DomId(_guest->Id);
                return IsAnswered(call, At, 0, 0);
            case HypercallNumber.VcpuOp:
                return IsAnswered(call, command, 0, At);
            default:
                return IsAnswered(call, command, At, 1);
        }
    }

    private bool IsAnswered(ulong call, ulong a0, ulong a1, ulong a2) => IsAnswered(_host.Caller, call, a0, a1, a2);

    private bool IsAnswered(Vcpu* vcpu, ulong call, ulong a0, ulong a1, ulong a2)
    {
        try
        {
            return Call(vcpu, call, a0, a1, a2) != -(long)Errno.NoSys;
        }
        catch (HypervisorPanicException)
        {
            // The machine is off, or the like: an answer, but the end of this one.
            Start();
            return true;
        }
    }

    private static long Call(Vcpu* vcpu, ulong call, ulong a0, ulong a1 = 0, ulong a2 = 0)
    {
        CpuUserRegs frame = default;
        frame.Rax = call;
        frame.Rdi = a0;
        frame.Rsi = a1;
        frame.Rdx = a2;
        frame.R10 = Self;
        return HypercallTable.Dispatch(vcpu, &frame).Raw;
    }

    private long MmuExt(MmuExtCommand command, Mfn frame, ulong second = 0)
    {
        MmuExtOp operation = default;
        operation.Cmd = (uint)command;
        operation.Arg1Mfn = frame.Raw;
        operation.Arg2SrcMfn = second;
        return Call(_host.Caller, (ulong)HypercallNumber.MmuExtOp, _host.Put(operation), 1);
    }

    private long Update(ulong slot, ulong value)
    {
        MmuUpdate request;
        request.Ptr = slot;
        request.Val = value;
        return Call(_host.Caller, (ulong)HypercallNumber.MmuUpdate, _host.Put(request), 1);
    }

    private bool PreservesAccessedAndDirty()
    {
        Mfn table = NewFrame();
        Mfn page = NewFrame();
        Entries(table)[0] = Pte.Make(page, Pte.Present | Pte.User | Pte.Accessed | Pte.Dirty);
        Assert.Equal(0, MmuExt(MmuExtCommand.PinL1Table, table));
        Assert.Equal(0, Update(
            table.Address | (ulong)MmuUpdateType.PtUpdatePreserveAd, Pte.Make(page, Pte.Present | Pte.User | Pte.Writable)));
        return (Entries(table)[0] & (Pte.Accessed | Pte.Dirty | Pte.Writable)) == (Pte.Accessed | Pte.Dirty | Pte.Writable);
    }

    private bool KeepsBitsOfGrantMappings()
    {
        const uint AvailableBits = 5u << 16;
        Mfn table = NewFrame();
        Assert.Equal(0, MmuExt(MmuExtCommand.PinL1Table, table));
        GrantEntryV1* entry = _guest->Grants.Frames[0] + 1;
        entry->Frame = (uint)TestHost.Populate(_guest, 1)[0].Raw;
        entry->Domid = new DomId(0);
        entry->Flags = GrantEntryFlags.PermitAccess;
        GrantTableMapGrantRef request = new()
        {
            HostAddr = table.Address,
            Flags = GrantMapFlags.HostMap | GrantMapFlags.ContainsPte | AvailableBits,
            Ref = new GrantRef(1),
            Dom = new DomId(_guest->Id),
        };
        _ = _host.Put(request);
        Assert.Equal(0, Call(
            _host.Caller, (ulong)HypercallNumber.GrantTableOp, (ulong)GrantTableCommand.MapGrantRef, TestHost.RequestAddress, 1));
        Assert.Equal((short)GrantStatus.Okay, _host.At<GrantTableMapGrantRef>()->Status);
        return (Entries(table)[0] >> 9 & 7) == 5;
    }

    private long Populate(uint memoryFlags)
    {
        MemoryReservation reservation = default;
        reservation.ExtentStart = _host.PutList(TestHost.ListAddress, 7);
        reservation.NrExtents = 1;
        reservation.MemFlags = memoryFlags;
        reservation.Domid = DomId.Self;
        return Call(
            _host.Caller, (ulong)HypercallNumber.MemoryOp, (ulong)MemoryCommand.PopulatePhysMap, _host.Put(reservation));
    }

    private long SetVersion(uint version) => Call(
        _host.Caller,
        (ulong)HypercallNumber.GrantTableOp,
        (ulong)GrantTableCommand.SetVersion,
        _host.Put(new GrantTableSetVersion { Version = version }),
        1);

    /// <summary>Numbers in the second column of the page's row that begins so (in the first, where numbers themselves are
    /// listed).</summary>
    private static IEnumerable<uint> Listed(string row)
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Xen.sln")))
        {
            directory = Path.GetDirectoryName(directory);
        }

        string line = File.ReadLines(Path.Combine(directory, "docs", "hypercalls.md")).Single(one => Regex.IsMatch(one, row));
        string cell = line.Split('|')[row.Contains("set_trap_table", StringComparison.Ordinal) ? 1 : 2];
        return [.. Entry().Matches(cell).Select(one => uint.Parse(one.Groups[1].Value, CultureInfo.InvariantCulture))];
    }

    [GeneratedRegex(@"\b(\d+) [a-z]\w*")]
    private static partial Regex Entry();
}
