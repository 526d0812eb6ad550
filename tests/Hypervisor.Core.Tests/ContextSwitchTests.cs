// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Tests.Lifecycle;
using Xunit;

namespace Hypervisor.Core.Tests;

public sealed unsafe class ContextSwitchTests : IDisposable
{
    private readonly TestHost _host = new();
    private readonly Domain* _guest;

    public ContextSwitchTests()
    {
        _guest = _host.AddDomain(vcpus: 2);
        ContextSwitch.Initialise(0, hasTscAux: false, hasPredictionBarrier: true);
        FakeMachine.Cpu.Msrs[Msr.PredictionCommand] = 0;
    }

    public void Dispose() => ContextSwitch.Initialise(0, hasTscAux: false, hasPredictionBarrier: false);

    [Fact]
    public void Between_domains_the_branch_predictor_is_emptied()
    {
        TurnTo(_guest->VcpuOf(0));
        Assert.True(WasEmptied());
        TurnTo(_guest->VcpuOf(1));
        Assert.False(WasEmptied());
        TurnTo(_host.Caller);
        Assert.True(WasEmptied());
    }

    [Fact]
    public void After_an_eviction_nobody_knows_who_taught_it()
    {
        TurnTo(_guest->VcpuOf(0));
        Assert.True(WasEmptied());
        ContextSwitch.Evict(Hypervisor.Machine.Cpu, _guest->VcpuOf(0));
        TurnTo(_guest->VcpuOf(1));
        Assert.True(WasEmptied());
    }

    private static void TurnTo(Vcpu* vcpu) => ContextSwitch.To(Hypervisor.Machine.Cpu, vcpu);

    private static bool WasEmptied()
    {
        bool was = FakeMachine.Cpu.Msrs[Msr.PredictionCommand] == 1;
        FakeMachine.Cpu.Msrs[Msr.PredictionCommand] = 0;
        return was;
    }
}
