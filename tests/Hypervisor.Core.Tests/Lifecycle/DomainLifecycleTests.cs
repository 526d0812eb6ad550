// SPDX-License-Identifier: MIT

using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Lifecycle;

public sealed unsafe class DomainLifecycleTests
{
    private readonly TestHost _host = new();

    [Fact]
    public void A_domain_that_is_destroyed_gives_every_frame_back()
    {
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _host.AddDomain(vcpus: 2);
        _ = TestHost.Populate(domain, 40);
        uint id = domain->Id;

        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));

        Assert.True(DomainTable.Peek(id) == null);
        Assert.Equal(before, PageAllocator.FreeFrames);
        Assert.Equal(-(long)Errno.Srch, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
    }

    [Fact]
    public void A_domain_without_memory_is_gone_after_destruction()
    {
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _host.AddDomain();
        uint id = domain->Id;
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Assert.True(DomainTable.Peek(id) == null);
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void Destruction_that_gives_way_at_every_chance_ends_the_same()
    {
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _host.AddDomain();
        Mfn[] frames = TestHost.Populate(domain, 200);
        BuildTables(domain, frames);
        uint id = domain->Id;
        _host.Machine.OnInterruptWindow = () => Hypervisor.Machine.Cpu->SoftIrqPending |= SoftIrq.Schedule;

        int slices = 0;
        while (DomainTable.Peek(id) != null)
        {
            Domain* held = DomainTable.TryGet(id);
            Hypervisor.Machine.Cpu->SoftIrqPending = 0;
            _ = DomainLifecycle.Kill(held);
            _ = DomainTable.Put(held);
            Assert.True(++slices < 10_000);
        }

        Assert.True(slices > 3);
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void A_dying_domain_stays_visible_until_its_last_frame_is_unmapped()
    {
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _host.AddDomain();
        Mfn[] frames = TestHost.Populate(domain, 3);
        uint id = domain->Id;
        PageInfo* mapped = FrameTable.Page(frames[1]);
        Assert.True(PageReference.TryGetWritable(mapped, domain));

        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.GetDomainInfo, id));
        DomCtlGetDomainInfo info = _host.At<DomCtl>()->GetDomainInfo;
        Assert.Equal(DomainInfoFlags.Dying, info.Flags & DomainInfoFlags.Dying);
        Assert.Equal(1ul, info.TotPages);

        PageReference.PutWritable(mapped);
        Assert.True(DomainTable.Peek(id) == null);
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void A_dying_domain_gets_no_memory_and_no_page_tables()
    {
        Domain* domain = _host.AddDomain();
        Mfn[] frames = TestHost.Populate(domain, 2);
        Assert.True(PageReference.TryGet(FrameTable.Page(frames[0]), domain));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, domain->Id));
        Assert.True(DomainPages.Allocate(domain, 0, 64).IsNone);
        Assert.Equal(TableResult.Refused, PageTables.Get(domain, frames[0], 1));
        PageReference.Put(FrameTable.Page(frames[0]));
    }

    [Fact]
    public void The_number_of_a_shared_frame_that_outlives_its_domain_is_nobodys()
    {
        Domain* domain = _host.AddDomain();
        PageInfo* shared = FrameTable.Page(domain->SharedInfoFrame);
        ushort id = domain->Id;
        Assert.True(PageReference.TryGet(shared, id));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Assert.False(PageReference.TryGet(shared, id));
        PageReference.Put(shared);
    }

    [Fact]
    public void A_table_whose_validation_gave_way_is_taken_apart()
    {
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _host.AddDomain();
        Mfn[] frames = TestHost.Populate(domain, 20);
        for (int index = 1; index < 10; index++)
        {
            ((ulong*)Hypervisor.Machine.Direct(frames[0]))[index] = Pte.Make(frames[index], Pte.Present | Pte.Writable);
        }

        _host.Machine.OnInterruptWindow = () => Hypervisor.Machine.Cpu->SoftIrqPending |= SoftIrq.Schedule;
        domain->MmuLock.Acquire();
        Assert.Equal(TableResult.Preempted, PageTables.Get(domain, frames[0], 2));
        domain->MmuLock.Release();
        _host.Machine.OnInterruptWindow = null;

        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, domain->Id));
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void Domain_numbers_are_not_reused_at_once()
    {
        Domain* first = _host.AddDomain();
        uint id = first->Id;
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Assert.Equal(id + 1, _host.AddDomain()->Id);
    }

    [Fact]
    public void A_number_that_is_taken_is_refused()
    {
        Domain* domain = _host.AddDomain();
        Assert.True(DomainFactory.Create(domain->Id, DomainLimits.OfVcpus(1), out Errno error) == null);
        Assert.Equal(Errno.Exist, error);
    }

    [Fact]
    public void A_domain_is_born_paused_and_runs_after_the_first_unpause()
    {
        Domain* domain = _host.AddDomain();
        Vcpu* vcpu = domain->VcpuOf(0);
        vcpu->Offline = false;
        Assert.False(VcpuScheduling.IsRunnable(vcpu));
        Assert.Equal(Errno.Ok, DomainLifecycle.Unpause(domain));
        Assert.True(VcpuScheduling.IsRunnable(vcpu));
        Assert.Equal(Errno.Inval, DomainLifecycle.Unpause(domain));
    }

    [Fact]
    public void Pauses_nest()
    {
        Domain* domain = _host.AddDomain();
        Assert.Equal(Errno.Ok, DomainLifecycle.Pause(domain));
        Assert.Equal(Errno.Ok, DomainLifecycle.Unpause(domain));
        Assert.True(domain->IsPausedByTools);
        Assert.Equal(Errno.Ok, DomainLifecycle.Unpause(domain));
        Assert.False(domain->IsPausedByTools);
    }

    [Fact]
    public void A_shutdown_reports_the_reason_latched_before()
    {
        Domain* domain = _host.AddDomain();
        DomainLifecycle.LatchShutdownCode(domain, (byte)ShutdownReason.Reboot);
        DomainLifecycle.Shutdown(domain, (byte)ShutdownReason.Crash);
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.GetDomainInfo, domain->Id));
        uint flags = _host.At<DomCtl>()->GetDomainInfo.Flags;
        Assert.Equal(DomainInfoFlags.Shutdown, flags & DomainInfoFlags.Shutdown);
        Assert.Equal((uint)ShutdownReason.Reboot, (flags >> 16) & 0xFF);
    }

    [Fact]
    public void A_resumed_domain_is_no_longer_shut_down_and_may_suspend_again()
    {
        Domain* domain = _host.AddDomain();
        DomainLifecycle.Shutdown(domain, (byte)ShutdownReason.Suspend);
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.ResumeDomain, domain->Id));
        Assert.False(domain->IsShutDown);
        DomainLifecycle.Shutdown(domain, (byte)ShutdownReason.Poweroff);
        Assert.Equal((byte)ShutdownReason.Poweroff, domain->ShutdownCode);
    }

    [Fact]
    public void The_first_crash_is_the_one_that_is_reported()
    {
        Domain* domain = _host.AddDomain();
        _host.Machine.ClearConsole();
        DomainLifecycle.Crash(domain, "first"u8);
        DomainLifecycle.Crash(domain, "second"u8);
        Assert.Contains($"Domain {domain->Id} crashed: first\n", _host.Machine.Console);
        Assert.DoesNotContain("second", _host.Machine.Console);
        Assert.True(domain->IsShutDown);
    }

    [Theory]
    [InlineData(ShutdownReason.Poweroff, "Switched off")]
    [InlineData(ShutdownReason.Reboot, "Restarted")]
    [InlineData(ShutdownReason.Crash, "Ended")]
    [InlineData(ShutdownReason.Watchdog, "Restarted")]
    public void The_machine_goes_where_Domain_0_goes(ShutdownReason reason, string end)
    {
        HypervisorPanicException stop = Assert.Throws<HypervisorPanicException>(
            () => DomainLifecycle.Shutdown(_host.Dom0, (byte)reason));
        Assert.Equal(end, stop.Message);
    }

    [Fact]
    public void A_registered_record_keeps_its_contents_and_marks_every_port()
    {
        Domain* domain = _host.AddDomain();
        Vcpu* vcpu = domain->VcpuOf(0);
        Mfn frame = TestHost.Populate(domain, 1)[0];
        vcpu->Info->Arch.Cr2 = 0x1234;

        Assert.Equal(Errno.Ok, VcpuInfoFrame.Register(vcpu, frame.Raw, 128));

        VcpuInfo* record = (VcpuInfo*)((byte*)Hypervisor.Machine.Direct(frame) + 128);
        Assert.True(vcpu->Info == record);
        Assert.Equal(0x1234ul, record->Arch.Cr2);
        Assert.Equal(1, record->EventChannelUpcallPending);
        Assert.Equal(ulong.MaxValue, record->EventChannelPendingSel);
        Assert.Equal(PageType.Writable | PageType.Validated | 1, FrameTable.Page(frame)->Type);
    }

    [Fact]
    public void A_record_is_registered_once_but_again_at_the_same_place()
    {
        Domain* domain = _host.AddDomain();
        Vcpu* vcpu = domain->VcpuOf(0);
        Mfn frame = TestHost.Populate(domain, 1)[0];
        Assert.Equal(Errno.Ok, VcpuInfoFrame.Register(vcpu, frame.Raw, 0));
        Assert.Equal(Errno.Ok, VcpuInfoFrame.Register(vcpu, frame.Raw, 0));
        Assert.Equal(Errno.Inval, VcpuInfoFrame.Register(vcpu, frame.Raw, 64));
        Assert.Equal(2ul, FrameTable.Page(frame)->Count & PageInfo.ReferenceMask);
    }

    [Theory]
    [InlineData(4096 - 56)]
    [InlineData(4)]
    [InlineData(0xFFFF_FFF8)]
    public void A_record_must_lie_within_its_frame_and_be_aligned(uint offset)
    {
        Domain* domain = _host.AddDomain();
        Mfn frame = TestHost.Populate(domain, 1)[0];
        Assert.Equal(Errno.Inval, VcpuInfoFrame.Register(domain->VcpuOf(0), frame.Raw, offset));
    }

    [Fact]
    public void A_record_in_another_domains_frame_is_refused()
    {
        Domain* domain = _host.AddDomain();
        Mfn foreign = TestHost.Populate(_host.AddDomain(), 1)[0];
        Assert.Equal(Errno.Inval, VcpuInfoFrame.Register(domain->VcpuOf(0), foreign.Raw, 0));
        Assert.Equal(Errno.Inval, VcpuInfoFrame.Register(domain->VcpuOf(0), 0xFFFF_FFFF_FFFF, 0));
    }

    [Fact]
    public void A_domain_with_a_registered_record_gives_every_frame_back()
    {
        ulong before = PageAllocator.FreeFrames;
        Domain* domain = _host.AddDomain();
        Mfn frame = TestHost.Populate(domain, 1)[0];
        Assert.Equal(Errno.Ok, VcpuInfoFrame.Register(domain->VcpuOf(0), frame.Raw, 0));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, domain->Id));
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    /// <summary>A pinned root over three levels, and the same as kernel root of vCPU 0.</summary>
    private static void BuildTables(Domain* domain, Mfn[] frames)
    {
        for (int level = 0; level < 3; level++)
        {
            ((ulong*)Hypervisor.Machine.Direct(frames[level]))[0] =
                Pte.Make(frames[level + 1], Pte.Present | Pte.Writable | Pte.User);
        }

        for (int index = 0; index < 100; index++)
        {
            ((ulong*)Hypervisor.Machine.Direct(frames[3]))[index] =
                Pte.Make(frames[50 + index], Pte.Present | Pte.Writable);
        }

        domain->MmuLock.Acquire();
        Assert.Equal(TableResult.Done, PageTables.Get(domain, frames[0], 4));
        FrameTable.Page(frames[0])->Type |= PageType.Pinned;
        domain->MmuLock.Release();
        Vcpu* vcpu = domain->VcpuOf(0);
        Assert.Equal(Errno.Ok, VcpuRoots.SetKernel(vcpu, frames[0]));
    }
}
