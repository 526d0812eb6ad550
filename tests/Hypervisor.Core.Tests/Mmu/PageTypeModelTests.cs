// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using Hypervisor.Core.Diagnostics;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>
/// A hostile guest and tools that help it: random requests about a few frames, so that they collide all the time. After
/// each the frame table is compared with a count from scratch (<see cref="PageModel"/>); at the end the domain is
/// destroyed, and all memory must be back. One CPU; several are <see cref="InterleavedCpuTests"/>.
/// </summary>
public sealed unsafe class PageTypeModelTests
{
    private const int Frames = 24;
    private const uint Self = 0x7FF0;

    private TestHost _host;
    private Random _random;
    private HostileDomain _guest;
    private HostileDomain _other;
    private HostileVcpu[] _vcpus;
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
                IReadOnlyList<string> complaints = Check();
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

            IReadOnlyList<string> complaints = Check();
            Assert.True(complaints.Count == 0, $"seed {seed}: {string.Join("; ", complaints)}");

            // The running system's own recount sees the same.
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
        int roots = 0;
        int granted = 0;
        Mfn root = Mfn.None;
        for (int step = 0; step < 3000; step++)
        {
            _ = Step();
            roots += _guest.Domain->VcpuOf(0)->KernelRoot == root ? 0 : 1;
            root = _guest.Domain->VcpuOf(0)->KernelRoot;
            granted += _guest.Mappings.Count;
            foreach (ulong frame in _guest.Frames)
            {
                ulong type = FrameTable.Page(new Mfn(frame))->Type;
                pinned += (type & PageType.Pinned) != 0 && PageType.LevelOf(type) == 4 ? 1 : 0;
            }
        }

        Assert.True(pinned > 100, $"{pinned} pinned roots");
        Assert.True(roots > 5, $"{roots} roots");
        Assert.True(granted > 100, $"{granted} mappings of grants in all steps");
    }

    /// <summary>A new machine; gives its free memory before the guest was made.</summary>
    private ulong Start(int seed, int preemptionPercent)
    {
        _random = new Random(seed);
        _host = new TestHost(memory: 3 << 20);
        _host.Machine.IsGuestMemoryPhysical = true;
        ulong before = PageAllocator.FreeFrames;
        _guest = new HostileDomain(_host.AddDomain(Frames, vcpus: 2), Frames);
        _other = new HostileDomain(_host.AddDomain(4), 4);
        _guest.Peer = _other;
        _other.Peer = _guest;
        _other.WriteGrants();
        _toolsTable = TestHost.Populate(_host.Dom0, 1)[0].Raw;
        _vcpus =
        [
            new HostileVcpu(_host, 0, _host.Caller, _guest, _other.Frames[0]),
            new HostileVcpu(_host, 1, _guest.Domain->VcpuOf(0), _guest, _other.Frames[0]),
            new HostileVcpu(_host, 2, _guest.Domain->VcpuOf(1), _guest, _other.Frames[0]),
        ];
        foreach (HostileVcpu vcpu in _vcpus)
        {
            vcpu.Random = _random;
        }

        for (int vcpu = 1; vcpu <= 2; vcpu++)
        {
            Become(_vcpus[vcpu]);
            _vcpus[vcpu].Boot();
        }

        Become(_vcpus[0]);
        Assert.Equal(0, _vcpus[0].Extended(MmuExtCommand.PinL1Table, _toolsTable, Self));
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
        Become(_vcpus[0]);
        _host.Machine.OnInterruptWindow = null;
        _vcpus[0].FinishParked();

        // While the tools still have frames mapped, only those are left of a destroyed domain.
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, _guest.Id));
        IReadOnlyList<string> complaints = DomainTable.Peek(_guest.Id) != null
            ? Check()
            : PageModel.Check((nint)_host.Dom0, (nint)_other.Domain);
        Assert.True(complaints.Count == 0, $"after destruction: {string.Join("; ", complaints)}");
        _vcpus[0].Random = null;
        Assert.Equal(0, _vcpus[0].Extended(MmuExtCommand.UnpinTable, _toolsTable, Self));
        Assert.Equal(1, _vcpus[0].Reservation(MemoryCommand.DecreaseReservation, _toolsTable, Self));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, _other.Id));
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    private string Step()
    {
        HostileVcpu vcpu = _random.Next(6) == 0 ? _vcpus[0] : _vcpus[1 + _random.Next(2)];
        Become(vcpu);
        if (PageTables.HasParked(vcpu.Vcpu) && _random.Next(3) != 0)
        {
            PageTables.ContinueParked(vcpu.Vcpu);
            return "continue parked";
        }

        return vcpu == _vcpus[0] ? vcpu.ToolsRequest(_toolsTable) : vcpu.Request();
    }

    private IReadOnlyList<string> Check() =>
        PageModel.Check((nint)_host.Dom0, (nint)_guest.Domain, (nint)_other.Domain);

    private static void Become(HostileVcpu vcpu)
    {
        Hypervisor.Machine.Cpu->SoftIrqPending = 0;
        TestHost.Run(vcpu.Vcpu);
        Hypervisor.Machine.Cpu->Cr3 = vcpu.Vcpu->KernelRoot.IsNone ? 0 : vcpu.Vcpu->Cr3Kernel;
    }
}
