// SPDX-License-Identifier: MIT

using Hypervisor.Core.Control;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Control;

public sealed unsafe class DomCtlTests
{
    private readonly TestHost _host = new(cpus: 2);

    private DomCtl* Request => _host.At<DomCtl>();

    [Fact]
    public void An_unprivileged_domain_is_refused_whatever_it_asks()
    {
        Vcpu* guest = _host.AddDomain()->VcpuOf(0);
        Request->InterfaceVersion = 0;
        Request->Cmd = 12345;
        Assert.Equal(-(long)Errno.Perm, DomCtlOps.Dispatch(guest, TestHost.RequestAddress, null).Raw);
        Assert.Equal(-(long)Errno.Perm, SysCtlOps.Dispatch(guest, TestHost.RequestAddress, null).Raw);
        Assert.Equal(-(long)Errno.Perm, PlatformOps.Dispatch(guest, TestHost.RequestAddress, null).Raw);
    }

    [Theory]
    [InlineData(0x14)]
    [InlineData(0x16)]
    public void Another_version_of_the_interface_is_refused(uint version)
    {
        Request->InterfaceVersion = version;
        Request->Cmd = (uint)DomCtlCommand.GetDomainInfo;
        Assert.Equal(-(long)Errno.Access, DomCtlOps.Dispatch(_host.Caller, TestHost.RequestAddress, null).Raw);
        Assert.Equal(-(long)Errno.Access, SysCtlOps.Dispatch(_host.Caller, TestHost.RequestAddress, null).Raw);
        Assert.Equal(-(long)Errno.Access, PlatformOps.Dispatch(_host.Caller, TestHost.RequestAddress, null).Raw);
    }

    [Fact]
    public void A_request_that_cannot_be_read_is_EFAULT() =>
        Assert.Equal(-(long)Errno.Fault, DomCtlOps.Dispatch(_host.Caller, 0xFFFF_8000_0000_0000, null).Raw);

    [Fact]
    public void Requests_about_no_domain_are_ESRCH_and_unknown_ones_ENOSYS()
    {
        Assert.Equal(-(long)Errno.Srch, _host.DomCtl(DomCtlCommand.PauseDomain, 77));
        Assert.Equal(-(long)Errno.NoSys, _host.DomCtl((DomCtlCommand)999, 0));
        Assert.Equal(-(long)Errno.NoSys, _host.DomCtl(DomCtlCommand.GdbsxGuestmemio, 0));
    }

    [Fact]
    public void A_created_domain_is_paused_and_has_what_was_asked_for()
    {
        uint id = Create();
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.MaxVcpus, id, () => Request->MaxVcpus.Max = 3));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.MaxMem, id, () => Request->MaxMem.MaxMemKb = 4096));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.GetDomainInfo, id));

        DomCtlGetDomainInfo* info = &Request->GetDomainInfo;
        Assert.Equal(id, info->Domain.Raw);
        Assert.Equal(1024ul, info->MaxPages);
        Assert.Equal(2u, info->MaxVcpuId);
        Assert.Equal(0u, info->NrOnlineVcpus);
        Assert.Equal(DomainInfoFlags.Paused | DomainInfoFlags.Blocked, info->Flags & 0xFFFF);
        Assert.Equal(7, info->Handle[3]);
        Assert.Equal(DomainTable.Peek(id)->SharedInfoFrame.Raw, info->SharedInfoFrame);
        Assert.Equal(1023u, DomainTable.Peek(id)->MaxEventChannelPort);
        Assert.Equal(DomainLimits.DefaultGrantFrames, DomainTable.Peek(id)->MaxGrantFrames);
    }

    [Fact]
    public void A_domain_can_be_created_under_a_number_once()
    {
        Assert.Equal(9u, Create(9));
        PrepareCreate();
        Assert.Equal(-(long)Errno.Exist, _host.DomCtl(DomCtlCommand.CreateDomain, 9, PrepareCreate));
    }

    [Theory]
    [InlineData(CreateDomainFlags.Hvm, 1u, 0u, Errno.OpNotSupp)]
    [InlineData(CreateDomainFlags.Iommu, 1u, 0u, Errno.Inval)]
    [InlineData(0u, 0u, 0u, Errno.Inval)]
    [InlineData(0u, 129u, 0u, Errno.Inval)]
    [InlineData(0u, 1u, 1u, Errno.Inval)]
    public void A_domain_that_cannot_be_is_refused(uint flags, uint vcpus, uint pool, Errno expected)
    {
        ulong before = PageAllocator.FreeFrames;
        Assert.Equal(-(long)expected, _host.DomCtl(DomCtlCommand.CreateDomain, 0, () =>
        {
            PrepareCreate();
            Request->CreateDomain.Flags = flags;
            Request->CreateDomain.MaxVcpus = vcpus;
            Request->CreateDomain.CpuPoolId = pool;
        }));
        Assert.Equal(before, PageAllocator.FreeFrames);
    }

    [Fact]
    public void No_memory_for_a_domain_is_ENOMEM_and_costs_none()
    {
        Domain* eater = _host.AddDomain(maxPages: 100_000);
        while (PageAllocator.FreeFrames > 3)
        {
            _ = TestHost.Populate(eater, 1);
        }

        Assert.Equal(-(long)Errno.NoMem, _host.DomCtl(DomCtlCommand.CreateDomain, 0, PrepareCreate));
        Assert.Equal(3ul, PageAllocator.FreeFrames);
    }

    [Fact]
    public void Nobody_destroys_Domain_0_or_pauses_himself()
    {
        Assert.Equal(-(long)Errno.Inval, _host.DomCtl(DomCtlCommand.DestroyDomain, 0));
        Assert.Equal(-(long)Errno.Inval, _host.DomCtl(DomCtlCommand.PauseDomain, 0));
        Assert.Equal(-(long)Errno.Inval, _host.DomCtl(DomCtlCommand.MaxVcpus, 0, () => Request->MaxVcpus.Max = 1));
    }

    [Fact]
    public void Information_about_a_number_that_is_free_is_that_of_the_next_domain()
    {
        _ = Create(20);
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.GetDomainInfo, 5));
        Assert.Equal(20, Request->Domain.Raw);
        Assert.Equal(-(long)Errno.Srch, _host.DomCtl(DomCtlCommand.GetDomainInfo, 21));
    }

    [Fact]
    public void The_list_of_domains_ascends_and_ends_where_the_caller_has_no_more_room()
    {
        _ = Create(20);
        _ = Create(10);
        SysCtl* request = _host.At<SysCtl>();
        *request = default;
        request->GetDomainInfoList.MaxDomains = 2;
        request->GetDomainInfoList.Buffer = TestHost.BufferAddress;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.GetDomainInfoList));
        Assert.Equal(2u, request->GetDomainInfoList.NumDomains);
        DomCtlGetDomainInfo* list = _host.At<DomCtlGetDomainInfo>(TestHost.BufferAddress);
        Assert.Equal(0, list[0].Domain.Raw);
        Assert.Equal(10, list[1].Domain.Raw);

        request->GetDomainInfoList.FirstDomain = new DomId(11);
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.GetDomainInfoList));
        Assert.Equal(1u, request->GetDomainInfoList.NumDomains);
        Assert.Equal(20, list[0].Domain.Raw);
    }

    [Fact]
    public void Affinity_names_only_CPUs_that_there_are()
    {
        uint id = Create(vcpus: 1);
        _host.At<ulong>(TestHost.BufferAddress)[0] = ulong.MaxValue;
        _host.At<ulong>(TestHost.BufferAddress)[1] = ulong.MaxValue;
        Assert.Equal(0, Affinity(DomCtlCommand.SetVcpuAffinity, id, VcpuAffinityFlags.Hard, 128));
        Assert.Equal(3ul, _host.At<ulong>(TestHost.BufferAddress)[0]);
        Assert.Equal(0ul, _host.At<ulong>(TestHost.BufferAddress)[1]);

        _host.At<ulong>(TestHost.BufferAddress)[0] = 2;
        Assert.Equal(0, Affinity(DomCtlCommand.SetVcpuAffinity, id, VcpuAffinityFlags.Hard, 8));
        Assert.Equal(2ul, DomainTable.Peek(id)->VcpuOf(0)->Sched.HardAffinity.Bits);

        _host.At<ulong>(TestHost.BufferAddress)[0] = 0xFFFC;
        Assert.Equal(-(long)Errno.Inval, Affinity(DomCtlCommand.SetVcpuAffinity, id, VcpuAffinityFlags.Hard, 16));
        Assert.Equal(0, Affinity(DomCtlCommand.GetVcpuAffinity, id, VcpuAffinityFlags.Hard, 16));
        Assert.Equal(2, _host.At<ushort>(TestHost.BufferAddress)[0]);
    }

    [Fact]
    public void Affinity_of_no_vCPU_or_no_map_is_refused()
    {
        uint id = Create(vcpus: 1);
        Assert.Equal(-(long)Errno.Inval, Affinity(DomCtlCommand.GetVcpuAffinity, id, 0, 8));
        Assert.Equal(
            -(long)Errno.Inval, Affinity(DomCtlCommand.GetVcpuAffinity, id, VcpuAffinityFlags.Hard, 8, vcpu: 8));
        Assert.Equal(
            -(long)Errno.Srch, Affinity(DomCtlCommand.GetVcpuAffinity, id, VcpuAffinityFlags.Hard, 8, vcpu: 1));
    }

    [Fact]
    public void Credit_parameters_are_kept_and_bounded()
    {
        uint id = Create(vcpus: 2);
        Assert.Equal(0, Scheduler(id, DomCtlSchedulerCommand.GetInfo, 5));
        Assert.Equal(256, Request->SchedulerOp.Credit.Weight);
        Assert.Equal(0, Scheduler(id, DomCtlSchedulerCommand.PutInfo, 5, weight: 512, cap: 150));
        Assert.Equal(0, Scheduler(id, DomCtlSchedulerCommand.PutInfo, 5, weight: 0, cap: ushort.MaxValue));
        Assert.Equal(0, Scheduler(id, DomCtlSchedulerCommand.GetInfo, 5));
        Assert.Equal(512, Request->SchedulerOp.Credit.Weight);
        Assert.Equal(150, Request->SchedulerOp.Credit.Cap);
        Assert.Equal(-(long)Errno.Inval, Scheduler(id, DomCtlSchedulerCommand.PutInfo, 5, weight: 1, cap: 10_000));
        Assert.Equal(-(long)Errno.Inval, Scheduler(id, DomCtlSchedulerCommand.GetInfo, 6));
        Assert.Equal(-(long)Errno.OpNotSupp, Scheduler(id, DomCtlSchedulerCommand.GetVcpuInfo, 5));
    }

    [Fact]
    public void A_vCPU_context_that_is_set_is_the_one_that_is_read()
    {
        uint id = Create(vcpus: 1);
        Domain* domain = DomainTable.Peek(id);
        domain->MaxPages = 10;
        Mfn root = TestHost.Populate(domain, 1)[0];
        Assert.Equal(-(long)Errno.NoData, Context(DomCtlCommand.GetVcpuContext, id));

        VcpuGuestContext* context = _host.At<VcpuGuestContext>(TestHost.BufferAddress);
        *context = default;
        context->UserRegs.Rip = 0xFFFF_FFFF_8100_0000;
        context->UserRegs.Rsi = 0x1234;
        context->CtrlReg[3] = root.Address;
        context->Flags = VgcfFlags.InKernel | VgcfFlags.Online;
        Assert.Equal(0, Context(DomCtlCommand.SetVcpuContext, id));
        Assert.False(domain->VcpuOf(0)->Offline);

        *context = default;
        Assert.Equal(0, Context(DomCtlCommand.GetVcpuContext, id));
        Assert.Equal(0x1234ul, context->UserRegs.Rsi);
        Assert.Equal(root.Address, context->CtrlReg[3]);
        Assert.Equal(0, domain->VcpuOf(0)->PauseCount);

        Assert.Equal(0, _host.DomCtl(
            DomCtlCommand.GetVcpuInfo, id, () => Request->GetVcpuInfo.Vcpu = 0));
        Assert.Equal(1, Request->GetVcpuInfo.Online);
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.DestroyDomain, id));
        Assert.True(DomainTable.Peek(id) == null);
    }

    [Fact]
    public void A_context_with_a_foreign_root_is_refused()
    {
        uint id = Create(vcpus: 1);
        Mfn foreign = TestHost.Populate(_host.AddDomain(), 1)[0];
        VcpuGuestContext* context = _host.At<VcpuGuestContext>(TestHost.BufferAddress);
        *context = default;
        context->CtrlReg[3] = foreign.Address;
        context->Flags = VgcfFlags.InKernel;
        Assert.Equal(-(long)Errno.Inval, Context(DomCtlCommand.SetVcpuContext, id));
        Assert.Equal(0, DomainTable.Peek(id)->VcpuOf(0)->PauseCount);
    }

    [Fact]
    public void Frame_types_tell_tables_and_pins_and_frames_of_others()
    {
        uint id = Create();
        Domain* domain = DomainTable.Peek(id);
        domain->MaxPages = 10;
        Mfn[] frames = TestHost.Populate(domain, 2);
        domain->MmuLock.Acquire();
        Assert.Equal(TableResult.Done, PageTables.Get(domain, frames[0], 1));
        FrameTable.Page(frames[0])->Type |= PageType.Pinned;
        domain->MmuLock.Release();
        ulong foreign = TestHost.Populate(_host.AddDomain(), 1)[0].Raw;
        _ = _host.PutList(TestHost.BufferAddress, frames[0].Raw, frames[1].Raw, foreign, 0xFFFF_FFFF_FFFF);
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.GetPageFrameInfo3, id, () =>
        {
            Request->GetPageFrameInfo3.Num = 4;
            Request->GetPageFrameInfo3.Array = TestHost.BufferAddress;
        }));
        ulong* types = _host.At<ulong>(TestHost.BufferAddress);
        Assert.Equal(PageFrameInfo.L1Tab | PageFrameInfo.LPinTab, types[0]);
        Assert.Equal(PageFrameInfo.NoTab, types[1]);
        Assert.Equal(PageFrameInfo.XTab, types[2]);
        Assert.Equal(PageFrameInfo.XTab, types[3]);
        Assert.Equal(-(long)Errno.TooBig, _host.DomCtl(
            DomCtlCommand.GetPageFrameInfo3, id, () => Request->GetPageFrameInfo3.Num = 1025));
    }

    [Fact]
    public void A_policy_read_can_be_written_back_until_the_domain_has_run()
    {
        uint id = Create();
        Assert.Equal(0, Policy(DomCtlCommand.GetCpuPolicy, id, 0, 0, 0, 0));
        uint leaves = Request->CpuPolicy.NrLeaves;
        uint msrs = Request->CpuPolicy.NrMsrs;
        Assert.Equal(0, Policy(
            DomCtlCommand.GetCpuPolicy, id, leaves, TestHost.BufferAddress, msrs, TestHost.ListAddress));
        leaves = Request->CpuPolicy.NrLeaves;
        Assert.Equal(0, Policy(
            DomCtlCommand.SetCpuPolicy, id, leaves, TestHost.BufferAddress, msrs, TestHost.ListAddress));
        Assert.Equal(CpuPolicyError.None, Request->CpuPolicy.ErrLeaf);
        Assert.Equal(-(long)Errno.NoBufs, Policy(
            DomCtlCommand.GetCpuPolicy, id, leaves - 1, TestHost.BufferAddress, msrs, TestHost.ListAddress));

        Assert.Equal(0, _host.DomCtl(DomCtlCommand.UnpauseDomain, id));
        Assert.Equal(-(long)Errno.Exist, Policy(
            DomCtlCommand.SetCpuPolicy, id, leaves, TestHost.BufferAddress, msrs, TestHost.ListAddress));
    }

    [Fact]
    public void A_policy_with_what_the_machine_lacks_is_refused_and_the_leaf_named()
    {
        uint id = Create();
        CpuPolicy before = *DomainTable.Peek(id)->CpuidPolicy;
        CpuIdLeaf* leaf = _host.At<CpuIdLeaf>(TestHost.BufferAddress);
        *leaf = new CpuIdLeaf { Leaf = 7, Subleaf = 0, B = uint.MaxValue };
        Assert.Equal(-(long)Errno.Inval, Policy(
            DomCtlCommand.SetCpuPolicy, id, 1, TestHost.BufferAddress, 0, 0));
        Assert.Equal(7u, Request->CpuPolicy.ErrLeaf);
        Assert.Equal(0u, Request->CpuPolicy.ErrSubleaf);
        Assert.True(Hypervisor.Machine.Equal(&before, DomainTable.Peek(id)->CpuidPolicy, (nuint)sizeof(CpuPolicy)));
    }

    [Fact]
    public void Extended_state_goes_out_and_comes_back()
    {
        uint id = Create(vcpus: 1);
        Vcpu* vcpu = DomainTable.Peek(id)->VcpuOf(0);
        vcpu->Xcr0 = 7;
        vcpu->Xcr0Accumulated = 7;
        ExtendedState.Reset(vcpu->ExtendedState);
        vcpu->ExtendedState[160] = 0x5A;

        // A component that the processor saved and the guest never had.
        *(ulong*)(vcpu->ExtendedState + 512) = 0x207;
        Assert.Equal(0, State(DomCtlCommand.GetVcpuExtState, id, 0, 0));
        ulong size = Request->VcpuExtState.Size;
        Assert.Equal(16ul + 832, size);
        Assert.Equal(0, State(DomCtlCommand.GetVcpuExtState, id, size, TestHost.BufferAddress));
        Assert.Equal(0x5A, _host.At<byte>(TestHost.BufferAddress)[16 + 160]);

        _host.At<byte>(TestHost.BufferAddress)[16 + 160] = 0xA5;
        Assert.Equal(0, State(DomCtlCommand.SetVcpuExtState, id, size, TestHost.BufferAddress));
        Assert.Equal(0xA5, vcpu->ExtendedState[160]);
    }

    [Theory]
    [InlineData(16 + 512, 8ul)]
    [InlineData(16 + 520, 1ul)]
    [InlineData(0, 0xFFul)]
    [InlineData(0, 4ul)]
    [InlineData(16 + 24, 0xFFFF_FFFFul)]
    public void Extended_state_that_the_processor_would_refuse_is_refused(int offset, ulong value)
    {
        uint id = Create(vcpus: 1);
        ulong* image = _host.At<ulong>(TestHost.BufferAddress);
        image[0] = 7;
        image[1] = 7;
        *(ulong*)((byte*)image + offset) = value;
        Assert.Equal(
            -(long)Errno.Inval, State(DomCtlCommand.SetVcpuExtState, id, 16 + 832, TestHost.BufferAddress));
    }

    [Fact]
    public void MSRs_that_a_vCPU_has_come_back_and_others_are_refused()
    {
        uint id = Create(vcpus: 1);
        DomCtlVcpuMsr* list = _host.At<DomCtlVcpuMsr>(TestHost.BufferAddress);
        list[0] = new DomCtlVcpuMsr { Index = 0xC000_0103, Value = 5 };
        list[1] = new DomCtlVcpuMsr { Index = 0x48, Value = 0 };
        list[2] = new DomCtlVcpuMsr { Index = 0xC000_0080, Value = 1 };
        Assert.Equal(-(long)Errno.Inval, Msrs(DomCtlCommand.SetVcpuMsrs, id, 3));
        Assert.Equal(2u, Request->VcpuMsrs.MsrCount);
        Assert.Equal(5u, DomainTable.Peek(id)->VcpuOf(0)->TscAux);
        Assert.Equal(-(long)Errno.NoBufs, Msrs(DomCtlCommand.GetVcpuMsrs, id, 0));
        list[0] = default;
        Assert.Equal(0, Msrs(DomCtlCommand.GetVcpuMsrs, id, 1));
        Assert.Equal(5ul, list[0].Value);
    }

    [Fact]
    public void The_clock_of_a_domain_is_the_processors()
    {
        uint id = Create();
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.SetTscInfo, id, () =>
        {
            Request->TscInfo = default;
            Request->TscInfo.Incarnation = 3;
        }));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.GetTscInfo, id));
        Assert.Equal(1_000_000u, Request->TscInfo.GtscKhz);
        Assert.Equal(3u, Request->TscInfo.Incarnation);
        Assert.Equal(-(long)Errno.OpNotSupp, _host.DomCtl(
            DomCtlCommand.SetTscInfo, id, () => Request->TscInfo.TscMode = 1));
    }

    [Fact]
    public void Only_an_NMI_can_be_triggered()
    {
        uint id = Create(vcpus: 1);
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.SendTrigger, id, () => Request->SendTrigger = default));
        Assert.True(DomainTable.Peek(id)->VcpuOf(0)->NmiPending);
        Assert.Equal(-(long)Errno.NoSys, _host.DomCtl(
            DomCtlCommand.SendTrigger, id, () => Request->SendTrigger.Trigger = (uint)TriggerType.Power));
    }

    [Fact]
    public void A_domain_is_64_bits_wide_and_nothing_else()
    {
        uint id = Create();
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.SetAddressSize, id, () => Request->AddressSize.Size = 64));
        Assert.Equal(-(long)Errno.Inval, _host.DomCtl(
            DomCtlCommand.SetAddressSize, id, () => Request->AddressSize.Size = 32));
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.GetAddressSize, id));
        Assert.Equal(64u, Request->AddressSize.Size);
    }

    private void PrepareCreate()
    {
        DomCtlCreateDomain wanted = default;
        wanted.MaxVcpus = 4;
        wanted.MaxEventChannelPort = 1023;
        wanted.MaxGrantFrames = -1;
        wanted.MaxMapTrackFrames = -1;
        wanted.GrantOpts = 1;
        wanted.Handle[3] = 7;
        Request->CreateDomain = wanted;
    }

    private uint Create(uint id = 0, uint vcpus = 0)
    {
        Assert.Equal(0, _host.DomCtl(DomCtlCommand.CreateDomain, id, PrepareCreate));
        uint made = Request->Domain.Raw;
        if (vcpus != 0)
        {
            Assert.Equal(0, _host.DomCtl(DomCtlCommand.MaxVcpus, made, () => Request->MaxVcpus.Max = vcpus));
        }

        return made;
    }

    private long Affinity(DomCtlCommand command, uint id, uint flags, uint bits, uint vcpu = 0) =>
        _host.DomCtl(command, id, () =>
        {
            Request->VcpuAffinity = default;
            Request->VcpuAffinity.Vcpu = vcpu;
            Request->VcpuAffinity.Flags = flags;
            Request->VcpuAffinity.CpuMapHard.Bitmap = TestHost.BufferAddress;
            Request->VcpuAffinity.CpuMapHard.NrBits = bits;
        });

    private long Scheduler(
        uint id, DomCtlSchedulerCommand command, uint scheduler, ushort weight = 0, ushort cap = 0) =>
        _host.DomCtl(DomCtlCommand.SchedulerOp, id, () =>
        {
            Request->SchedulerOp = default;
            Request->SchedulerOp.SchedId = scheduler;
            Request->SchedulerOp.Cmd = (uint)command;
            Request->SchedulerOp.Credit.Weight = weight;
            Request->SchedulerOp.Credit.Cap = cap;
        });

    private long Context(DomCtlCommand command, uint id) =>
        _host.DomCtl(command, id, () =>
        {
            Request->VcpuContext.Vcpu = 0;
            Request->VcpuContext.Ctxt = TestHost.BufferAddress;
        });

    private long Policy(DomCtlCommand command, uint id, uint leaves, ulong leafList, uint msrs, ulong msrList) =>
        _host.DomCtl(command, id, () =>
        {
            Request->CpuPolicy = default;
            Request->CpuPolicy.NrLeaves = leaves;
            Request->CpuPolicy.Leaves = leafList;
            Request->CpuPolicy.NrMsrs = msrs;
            Request->CpuPolicy.Msrs = msrList;
        });

    private long State(DomCtlCommand command, uint id, ulong size, ulong buffer) =>
        _host.DomCtl(command, id, () =>
        {
            Request->VcpuExtState = default;
            Request->VcpuExtState.Size = size;
            Request->VcpuExtState.Buffer = buffer;
        });

    private long Msrs(DomCtlCommand command, uint id, uint count) =>
        _host.DomCtl(command, id, () =>
        {
            Request->VcpuMsrs = default;
            Request->VcpuMsrs.MsrCount = count;
            Request->VcpuMsrs.Msrs = TestHost.BufferAddress;
        });

    [Fact]
    public void A_host_wide_interrupt_goes_to_the_domain_that_the_tools_name_until_it_dies()
    {
        Domain* guest = _host.AddDomain();
        long Set(uint virq) => _host.DomCtl(
            DomCtlCommand.SetVirqHandler, guest->Id, () => _host.At<DomCtl>()->SetVirqHandler.Virq = virq);
        const uint DomExc = (uint)Xen.Abi.VirtualIrq.DomExc;
        Assert.Equal(-(long)Errno.Inval, Set(24));
        Assert.Equal(-(long)Errno.Inval, Set(uint.MaxValue));
        Assert.Equal(-(long)Errno.Inval, Set((uint)Xen.Abi.VirtualIrq.Timer));
        Assert.Equal(Errno.Ok, Hypervisor.Core.Events.EventBinding.Virq(_host.Dom0, DomExc, 0, out uint own));
        Assert.Equal(Errno.Ok, Hypervisor.Core.Events.EventBinding.Virq(guest, DomExc, 0, out uint theirs));

        Assert.Equal(0, Set(DomExc));
        Hypervisor.Core.Events.VirtualIrq.RaiseGlobal(DomExc);
        Assert.Equal((false, true), (IsPending(_host.Dom0, own), IsPending(guest, theirs)));

        Hypervisor.Core.Events.VirtualIrq.ClearHandlers(guest);
        Hypervisor.Core.Events.VirtualIrq.RaiseGlobal(DomExc);
        Assert.True(IsPending(_host.Dom0, own));
        guest->IsDying = true;
        Assert.Equal(Errno.Inval, Hypervisor.Core.Events.VirtualIrq.SetHandler(guest, DomExc));
        guest->IsDying = false;
    }

    private static bool IsPending(Domain* domain, uint port) =>
        (domain->SharedInfo->EventChannelPending[port >> 6] >> (int)(port & 63) & 1) != 0;
}
