// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Tests.Lifecycle;
using Hypervisor.Core.Traps;
using Xen.Abi;
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

    [Fact]
    public void A_selector_that_does_not_load_is_told_to_the_failsafe_callback_with_all_of_them_as_they_were()
    {
        Vcpu* vcpu = _guest->VcpuOf(0);
        vcpu->InKernelMode = true;
        vcpu->FailsafeCallback = 0x7_5000;
        vcpu->FailsafeMasksEvents = true;
        vcpu->Info->EventChannelUpcallMask = 0;
        vcpu->DsSelector = 0x2B;
        vcpu->EsSelector = 0x33;
        vcpu->FsSelector = 0;
        vcpu->GsSelector = 7;
        vcpu->Registers.Rip = 0x7_1234;
        vcpu->Registers.Cs = GuestBounce.FlatKernelCs;
        vcpu->Registers.Rflags = 0x246;
        vcpu->Registers.Rsp = TestHost.BufferAddress + 0x808;
        vcpu->Registers.Ss = GuestBounce.FlatKernelSs;
        vcpu->Registers.Rcx = 0xC;
        vcpu->Registers.R11 = 0xB;
        _ = FakeMachine.Cpu.RefusedSelectors.Add(7);

        TurnTo(vcpu);

        CpuUserRegs* frame = &Hypervisor.Machine.Cpu->Guest;
        Assert.Equal(0x7_5000UL, frame->Rip);
        Assert.Equal(TestHost.BufferAddress + 0x800 - 88, frame->Rsp);
        Assert.Equal(1, vcpu->Info->EventChannelUpcallMask);
        ulong* words = stackalloc ulong[11];
        Assert.True(GuestMemory.Read(frame->Rsp, words, 11 * sizeof(ulong)));
        Assert.Equal(
            [0xC, 0xB, 0x2B, 0x33, 0, 7, 0x7_1234, GuestBounce.FlatKernelCs & 0xFFFC, 0x246, TestHost.BufferAddress + 0x808,
                GuestBounce.FlatKernelSs],
            new ReadOnlySpan<ulong>(words, 11).ToArray());
        Assert.Equal(0, FakeMachine.Cpu.Gs);
    }

    private static void TurnTo(Vcpu* vcpu) => ContextSwitch.To(Hypervisor.Machine.Cpu, vcpu);

    private static bool WasEmptied()
    {
        bool was = FakeMachine.Cpu.Msrs[Msr.PredictionCommand] == 1;
        FakeMachine.Cpu.Msrs[Msr.PredictionCommand] = 0;
        return was;
    }
}
