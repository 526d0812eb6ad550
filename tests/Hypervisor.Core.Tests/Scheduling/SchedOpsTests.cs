// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Scheduling;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Scheduling;

public sealed unsafe class SchedOpsTests : IDisposable
{
    private const ulong Unmapped = 1UL << 40;

    private readonly TestSystem _system = new();
    private readonly Domain* _domain;
    private readonly Vcpu* _vcpu;

    public SchedOpsTests()
    {
        _domain = _system.AddDomain();
        _vcpu = _system.AddVcpu(_domain);
        _ = _system.Pass();
    }

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData(8)]
    [InlineData(0xFFFFFFFF)]
    public void Unknown_operations_are_not_implemented(uint command) =>
        Assert.Equal(-(long)Errno.NoSys, Call((SchedCommand)command, 0));

    [Fact]
    public void Block_and_yield_succeed()
    {
        Assert.Equal(0, Call(SchedCommand.Yield, 0));
        Assert.Equal(0, Call(SchedCommand.Block, 0));
        Assert.True(_system.Pass() == null);
    }

    [Theory]
    [InlineData(ShutdownReason.Poweroff)]
    [InlineData(ShutdownReason.Suspend)]
    [InlineData(ShutdownReason.SoftReset)]
    public void A_shutdown_stops_the_domain_with_its_reason(ShutdownReason reason)
    {
        Assert.Equal(0, Call(SchedCommand.Shutdown, _system.Put(new SchedShutdown { Reason = (uint)reason })));
        Assert.True(_domain->IsShutDown);
        Assert.Equal((byte)reason, _domain->ShutdownCode);
        Assert.True(_system.Pass() == null);
        Assert.True(VcpuScheduling.IsStopped(_vcpu));
    }

    [Fact]
    public void A_latched_code_is_what_the_next_shutdown_reports()
    {
        _ = Call(SchedCommand.ShutdownCode, _system.Put(new SchedShutdown { Reason = (uint)ShutdownReason.Crash }));
        Assert.False(_domain->IsShutDown);
        _ = Call(SchedCommand.Shutdown, _system.Put(new SchedShutdown { Reason = (uint)ShutdownReason.Poweroff }));
        Assert.Equal((byte)ShutdownReason.Crash, _domain->ShutdownCode);
    }

    [Theory]
    [InlineData(SchedCommand.Shutdown)]
    [InlineData(SchedCommand.ShutdownCode)]
    public void Reasons_that_do_not_exist_are_refused(SchedCommand command)
    {
        Assert.Equal(-(long)Errno.Inval, Call(command, _system.Put(new SchedShutdown { Reason = 6 })));
        Assert.Equal(-(long)Errno.Fault, Call(command, Unmapped));
        Assert.False(_domain->IsShutDown);
    }

    [Fact]
    public void Only_the_privileged_shut_others_down()
    {
        Domain* other = _system.AddDomain(5);
        ulong request = _system.Put(new SchedRemoteShutdown { DomainId = new DomId(5), Reason = 1 });
        Assert.Equal(-(long)Errno.Perm, Call(SchedCommand.RemoteShutdown, request));
        _domain->IsPrivileged = true;
        Assert.Equal(0, Call(SchedCommand.RemoteShutdown, request));
        Assert.True(other->IsShutDown);
        Assert.Equal(2, other->References);
        request = _system.Put(new SchedRemoteShutdown { DomainId = new DomId(6), Reason = 1 });
        Assert.Equal(-(long)Errno.Srch, Call(SchedCommand.RemoteShutdown, request));
    }

    [Fact]
    public void Only_the_privileged_pin_themselves()
    {
        ulong request = _system.Put(new SchedPinOverride { PCpu = 0 });
        Assert.Equal(-(long)Errno.Perm, Call(SchedCommand.PinOverride, request));
        _domain->IsPrivileged = true;
        Assert.Equal(0, Call(SchedCommand.PinOverride, request));
        Assert.Equal(-(long)Errno.Fault, Call(SchedCommand.PinOverride, Unmapped));
    }

    private long Call(SchedCommand command, ulong argument) =>
        SchedOps.Dispatch(_vcpu, (uint)command, argument, &Machine.Cpu->Guest).Raw;
}
