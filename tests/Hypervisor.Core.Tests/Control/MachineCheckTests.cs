// SPDX-License-Identifier: MIT

using Hypervisor.Core.Control;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Control;

public sealed unsafe class MachineCheckTests
{
    private readonly TestHost _host = new(cpus: 2);

    private Mc* Request => _host.At<Mc>();

    [Fact]
    public void Without_a_list_the_number_of_CPUs_is_told()
    {
        Assert.Equal(0, Run(MachineCheckCommand.PhysCpuInfo));
        Assert.Equal(2u, Request->McPhysCpuInfo.Ncpus);
    }

    [Fact]
    public void CPUs_are_described_as_many_as_there_is_room_for()
    {
        McInfoLogicalCpu* cpus = _host.At<McInfoLogicalCpu>(TestHost.BufferAddress);
        cpus[1].McCpuNr = 77;
        Assert.Equal(0, Describe(1));
        Assert.Equal(1u, Request->McPhysCpuInfo.Ncpus);
        Assert.Equal(77u, cpus[1].McCpuNr);

        Assert.Equal(0, Describe(5));
        Assert.Equal(2u, Request->McPhysCpuInfo.Ncpus);
        Assert.Equal((0u, 0u, 1u, 0u), (cpus[0].McCpuNr, (uint)cpus[0].McCoreId, cpus[1].McCpuNr, cpus[1].McChipId));
        Assert.Equal((1u, 2u, 1u), ((uint)cpus[1].McCoreId, cpus[1].McNCores, cpus[1].McNThreads));
        Assert.Equal(0x178B_FBFFu, cpus[1].McCpuCaps[0]);
    }

    [Theory]
    [InlineData(MachineCheckFlags.Urgent, 0)]
    [InlineData(MachineCheckFlags.NonUrgent, 0)]
    [InlineData(MachineCheckFlags.Urgent | MachineCheckFlags.Ack, 0)]
    [InlineData(MachineCheckFlags.Urgent | MachineCheckFlags.NonUrgent, -(int)Errno.Inval)]
    [InlineData(0, -(int)Errno.Inval)]
    [InlineData(MachineCheckFlags.Urgent | 8, -(int)Errno.Inval)]
    public void There_is_never_a_record_to_fetch(uint flags, int expected)
    {
        *Request = default;
        Request->McFetch.Flags = flags;
        Assert.Equal(expected, Run(MachineCheckCommand.Fetch));
        Assert.Equal(expected == 0 ? MachineCheckFlags.NoData : flags, Request->McFetch.Flags);
    }

    [Fact]
    public void Others_than_Domain_0_and_other_versions_are_refused()
    {
        Request->InterfaceVersion = MachineCheckInterface.Version - 1;
        Request->Cmd = (uint)MachineCheckCommand.PhysCpuInfo;
        Assert.Equal(-(long)Errno.Access, MachineCheckOps.Dispatch(_host.Caller, TestHost.RequestAddress).Raw);
        Assert.Equal(-(long)Errno.NoSys, Run(MachineCheckCommand.MceInject));
        Vcpu* other = _host.AddDomain()->VcpuOf(0);
        Assert.Equal(-(long)Errno.Perm, MachineCheckOps.Dispatch(other, TestHost.RequestAddress).Raw);
    }

    private long Describe(uint room)
    {
        *Request = default;
        Request->McPhysCpuInfo.Ncpus = room;
        Request->McPhysCpuInfo.Info = TestHost.BufferAddress;
        return Run(MachineCheckCommand.PhysCpuInfo);
    }

    private long Run(MachineCheckCommand command)
    {
        Request->Cmd = (uint)command;
        Request->InterfaceVersion = MachineCheckInterface.Version;
        return MachineCheckOps.Dispatch(_host.Caller, TestHost.RequestAddress).Raw;
    }
}
