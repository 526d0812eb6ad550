// SPDX-License-Identifier: MIT

using Hypervisor.Core.Control;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Tests.Lifecycle;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Control;

public sealed unsafe class SysCtlTests
{
    private readonly TestHost _host = new(cpus: 2);

    private SysCtl* Request => _host.At<SysCtl>();

    private PlatformOp* Platform => _host.At<PlatformOp>();

    [Fact]
    public void The_machine_is_described_as_it_is()
    {
        E820Entry* map = (E820Entry*)PageAllocator.AllocatePages(0);
        map[0] = new E820Entry { Addr = 0, Size = 0x9F000, Type = 1 };
        map[1] = new E820Entry { Addr = 0xF0000, Size = 0x10000, Type = 2 };
        HostMemoryMap.Set(map, 2);
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.PhysInfo));
        SysCtlPhysInfo* info = &Request->PhysInfo;
        Assert.Equal(2u, info->NrCpus);
        Assert.Equal(1u, info->MaxCpuId);
        Assert.Equal(2u, info->CoresPerSocket);
        Assert.Equal(1u, info->ThreadsPerCore);
        Assert.Equal(1u, info->NrNodes);
        Assert.Equal(1_000_000u, info->CpuKhz);
        Assert.Equal(0x9Ful, info->TotalPages);
        Assert.Equal(PageAllocator.FreeFrames, info->FreePages);
        Assert.Equal(PhysicalCapabilities.Pv | PhysicalCapabilities.GrantTableV1, info->Capabilities);
        Assert.Equal(0x178B_FBFFu, info->HwCap[0]);
    }

    [Fact]
    public void CPUs_are_cores_of_one_socket_and_their_number_is_told_without_a_list()
    {
        *Request = default;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.CpuTopoInfo));
        Assert.Equal(2u, Request->CpuTopoInfo.NumCpus);
        Request->CpuTopoInfo.CpuTopo = TestHost.BufferAddress;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.CpuTopoInfo));
        SysCtlCpuTopo* places = _host.At<SysCtlCpuTopo>(TestHost.BufferAddress);
        Assert.Equal((0u, 0u), (places[0].Core, places[0].Socket));
        Assert.Equal((1u, 0u), (places[1].Core, places[1].Socket));
    }

    [Fact]
    public void All_memory_is_in_the_one_node()
    {
        *Request = default;
        Request->NumaInfo.NumNodes = 8;
        Request->NumaInfo.MemInfo = TestHost.BufferAddress;
        Request->NumaInfo.Distance = TestHost.ListAddress;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.NumaInfo));
        Assert.Equal(1u, Request->NumaInfo.NumNodes);
        Assert.Equal(PageAllocator.FreeFrames << 12, _host.At<SysCtlMemInfo>(TestHost.BufferAddress)->MemFree);
        Assert.Equal(10u, *_host.At<uint>(TestHost.ListAddress));
    }

    [Fact]
    public void There_is_one_pool_with_all_CPUs_and_all_domains()
    {
        _ = _host.AddDomain();
        *Request = default;
        Request->CpuPoolOp.Op = (uint)CpuPoolCommand.Info;
        Request->CpuPoolOp.CpuMap.Bitmap = TestHost.BufferAddress;
        Request->CpuPoolOp.CpuMap.NrBits = 64;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.CpuPoolOp));
        Assert.Equal(2u, Request->CpuPoolOp.NDom);
        Assert.Equal((uint)SchedulerId.Credit, Request->CpuPoolOp.SchedId);
        Assert.Equal(3ul, *_host.At<ulong>(TestHost.BufferAddress));

        Request->CpuPoolOp.CpuPoolId = 1;
        Assert.Equal(-(long)Errno.NoEnt, _host.SysCtl(SysCtlCommand.CpuPoolOp));
        Request->CpuPoolOp.Op = (uint)CpuPoolCommand.FreeInfo;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.CpuPoolOp));
        Assert.Equal(0ul, *_host.At<ulong>(TestHost.BufferAddress));
        Request->CpuPoolOp.Op = (uint)CpuPoolCommand.Create;
        Assert.Equal(-(long)Errno.OpNotSupp, _host.SysCtl(SysCtlCommand.CpuPoolOp));
    }

    [Fact]
    public void The_scheduler_is_told_as_credit()
    {
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.SchedId));
        Assert.Equal(5u, Request->SchedId.SchedId);
        *Request = default;
        Request->SchedulerOp.SchedId = 5;
        Request->SchedulerOp.Cmd = (uint)SysCtlSchedulerCommand.GetInfo;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.SchedulerOp));
        Assert.Equal(10u, Request->SchedulerOp.SchedCredit.TSliceMs);
        Assert.Equal(1000u, Request->SchedulerOp.SchedCredit.RateLimitUs);
    }

    [Theory]
    [InlineData(CpuFeatureSetIndex.Host, 0)]
    [InlineData(CpuFeatureSetIndex.Pv, 0)]
    [InlineData(CpuFeatureSetIndex.Hvm, -(int)Errno.OpNotSupp)]
    [InlineData((CpuFeatureSetIndex)6, -(int)Errno.Inval)]
    public void Featuresets_of_PV_guests_are_told(CpuFeatureSetIndex index, int expected)
    {
        *Request = default;
        Request->CpuFeatureSet.Index = (uint)index;
        Request->CpuFeatureSet.NrFeatures = 40;
        Request->CpuFeatureSet.Features = TestHost.BufferAddress;
        Assert.Equal(expected, _host.SysCtl(SysCtlCommand.GetCpuFeatureSet));
        if (expected == 0)
        {
            Assert.Equal((uint)PvFeatures.WordCount, Request->CpuFeatureSet.NrFeatures);
            Assert.NotEqual(0u, *_host.At<uint>(TestHost.BufferAddress));
        }
    }

    [Fact]
    public void A_featureset_in_too_short_an_array_is_cut_with_ENOBUFS()
    {
        *Request = default;
        Request->CpuFeatureSet.NrFeatures = 2;
        Request->CpuFeatureSet.Features = TestHost.BufferAddress;
        Assert.Equal(-(long)Errno.NoBufs, _host.SysCtl(SysCtlCommand.GetCpuFeatureSet));
        Assert.Equal(2u, Request->CpuFeatureSet.NrFeatures);
    }

    [Fact]
    public void The_default_policy_of_the_system_is_the_one_that_a_new_domain_has()
    {
        *Request = default;
        Request->CpuPolicy.Index = (uint)CpuPolicyIndex.PvDefault;
        Request->CpuPolicy.NrLeaves = CpuidPolicy.MaxLeaves;
        Request->CpuPolicy.Leaves = TestHost.BufferAddress;
        Request->CpuPolicy.NrMsrs = CpuidPolicy.MaxMsrs;
        Request->CpuPolicy.Msrs = TestHost.ListAddress;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.GetCpuPolicy));
        Assert.Equal(CpuidPolicy.CountLeaves(_host.AddDomain()->CpuidPolicy), Request->CpuPolicy.NrLeaves);
        Request->CpuPolicy.Index = (uint)CpuPolicyIndex.HvmMax;
        Assert.Equal(-(long)Errno.OpNotSupp, _host.SysCtl(SysCtlCommand.GetCpuPolicy));
    }

    [Fact]
    public void Idle_times_are_told_for_as_many_CPUs_as_there_is_room_for()
    {
        _host.Machine.AdvanceTsc(500);
        *Request = default;
        Request->GetCpuInfo.MaxCpus = 1;
        Request->GetCpuInfo.Info = TestHost.BufferAddress;
        Assert.Equal(0, _host.SysCtl(SysCtlCommand.GetCpuInfo));
        Assert.Equal(1u, Request->GetCpuInfo.NrCpus);
        Assert.Equal(500ul, _host.At<SysCtlCpuInfo>(TestHost.BufferAddress)->IdleTime);
    }

    [Fact]
    public void Unknown_requests_are_ENOSYS() =>
        Assert.Equal(-(long)Errno.NoSys, _host.SysCtl(SysCtlCommand.LivepatchOp));

    [Fact]
    public void Domain_0_sets_the_wall_clock_of_every_domain()
    {
        Domain* domain = _host.AddDomain();
        _host.Machine.AdvanceTsc(3_000_000_000);
        Prepare(PlatformCommand.SetTime64);
        Platform->SetTime64.Secs = 0x1_0000_0010;
        Platform->SetTime64.SystemTime = 2_000_000_000;
        Assert.Equal(0, PlatformCall());
        Assert.Equal(0x0Eu, domain->SharedInfo->WcSec);
        Assert.Equal(1u, domain->SharedInfo->WcSecHi);
        Platform->SetTime64.Nsecs = 1_000_000_000;
        Assert.Equal(-(long)Errno.Inval, PlatformCall());
    }

    [Fact]
    public void Physical_CPUs_are_described_and_others_are_invalid()
    {
        Prepare(PlatformCommand.GetCpuInfo);
        Platform->PCpuInfo.XenCpuId = 1;
        Assert.Equal(0, PlatformCall());
        Assert.Equal(1u, Platform->PCpuInfo.MaxPresent);
        Assert.Equal(PhysicalCpuFlags.Online, Platform->PCpuInfo.Flags);
        Assert.Equal(1u, Platform->PCpuInfo.ApicId);
        Platform->PCpuInfo.XenCpuId = 2;
        Assert.Equal(0, PlatformCall());
        Assert.Equal(PhysicalCpuFlags.Invalid, Platform->PCpuInfo.Flags);
    }

    [Fact]
    public void CPUs_are_taken_out_of_use_and_back_but_for_the_first()
    {
        SchedSystem* system = CpuScheduler.Of(Machine.Cpu)->Policy.System;
        Prepare(PlatformCommand.CpuOffline);
        Platform->CpuOl.CpuId = 1;
        Assert.Equal(0, PlatformCall());
        Assert.False(system->Online.Contains(1));
        Prepare(PlatformCommand.CpuOnline);
        Platform->CpuOl.CpuId = 1;
        Assert.Equal(0, PlatformCall());
        Assert.True(system->Online.Contains(1));
        foreach (uint cpu in (uint[])[0, 2, uint.MaxValue])
        {
            Prepare(PlatformCommand.CpuOffline);
            Platform->CpuOl.CpuId = cpu;
            Assert.Equal(-(long)Errno.Inval, PlatformCall());
        }
    }

    [Fact]
    public void The_processors_version_is_decoded()
    {
        Prepare(PlatformCommand.GetCpuVersion);
        Assert.Equal(0, PlatformCall());
        Assert.Equal((byte)'G', Platform->PCpuVersion.VendorId[0]);
        Assert.Equal((6u, 0x8Eu, 0xAu), (
            Platform->PCpuVersion.Family, Platform->PCpuVersion.Model, Platform->PCpuVersion.Stepping));
    }

    [Theory]
    [InlineData(FirmwareInfoType.DiskInfo, Errno.Srch)]
    [InlineData(FirmwareInfoType.EfiInfo, Errno.NoSys)]
    [InlineData((FirmwareInfoType)9, Errno.Inval)]
    public void Firmware_that_was_not_asked_is_not_told_about(FirmwareInfoType type, Errno expected)
    {
        Prepare(PlatformCommand.FirmwareInfo);
        Platform->FirmwareInfo.Type = (uint)type;
        Assert.Equal(-(long)expected, PlatformCall());
    }

    [Fact]
    public void Only_power_off_is_a_state_to_enter()
    {
        Prepare(PlatformCommand.EnterAcpiSleep);
        Platform->EnterAcpiSleep.SleepState = 3;
        Assert.Equal(-(long)Errno.Inval, PlatformCall());
        Prepare(PlatformCommand.SetProcessorPmInfo);
        Assert.Equal(-(long)Errno.NoSys, PlatformCall());
    }

    private void Prepare(PlatformCommand command)
    {
        *Platform = default;
        Platform->Cmd = (uint)command;
        Platform->InterfaceVersion = PlatformInterface.Version;
    }

    private long PlatformCall() => PlatformOps.Dispatch(_host.Caller, TestHost.RequestAddress, null).Raw;
}
