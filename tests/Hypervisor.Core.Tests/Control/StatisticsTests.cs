// SPDX-License-Identifier: MIT

using Hypervisor.Core.Hypercalls;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Tests.Lifecycle;
using Hypervisor.Core.Traps;
using Xen.Abi;
using Xen.Abi.Extensions;
using Xunit;

namespace Hypervisor.Core.Tests.Control;

public sealed unsafe class StatisticsTests
{
    private const ulong YieldCommand = 0;

    private readonly TestHost _host = new(cpus: 2);
    private readonly Domain* _domain;
    private readonly Vcpu* _vcpu;
    private CpuUserRegs _frame;

    public StatisticsTests()
    {
        _domain = _host.AddDomain(vcpus: 2);
        _vcpu = _domain->VcpuOf(0);
        _vcpu->InKernelMode = true;
        TestHost.Run(_vcpu);
    }

    [Fact]
    public void A_domain_that_did_nothing_has_counted_nothing()
    {
        Assert.Equal(0, Read(_domain->Id, out StatisticsOp answer));
        Assert.Equal(2u, answer.Vcpus);
        Assert.Equal(default, answer.Counters);
    }

    [Fact]
    public void Calls_count_one_by_one_also_inside_a_multicall()
    {
        Call(HypercallNumber.SchedOp, YieldCommand);
        MulticallEntry* list = _host.At<MulticallEntry>(TestHost.ListAddress);
        for (int index = 0; index < 3; index++)
        {
            list[index] = default;
            list[index].Op = (ulong)HypercallNumber.SchedOp;
        }

        Call(HypercallNumber.Multicall, TestHost.ListAddress, 3);
        Assert.Equal(5UL, Counters().Hypercalls);
    }

    [Fact]
    public void Traps_and_system_calls_count_where_they_enter()
    {
        fixed (CpuUserRegs* frame = &_frame)
        {
            frame->EntryVector = Vector.Breakpoint;
            TrapEntry.FromGuest(_vcpu, frame, 0);
            _vcpu->SyscallCallback = 0x1000;
            GuestBounce.Syscall(_vcpu, frame);
        }

        Assert.Equal((1UL, 1UL), (Counters().Traps, Counters().SystemCalls));
    }

    [Fact]
    public void Flushes_are_booked_to_who_needs_them_and_not_to_who_is_interrupted()
    {
        Vcpu* other = _domain->VcpuOf(1);
        FakeMachine.RunOn(1);
        TestHost.Run(other);
        other->LoadedOn = 1;
        FakeMachine.RunOn(0);
        _vcpu->LoadedOn = 0;
        Hypervisor.Machine.CpuOf(1)->FlushStamp = TlbFlush.Clock;
        _host.Machine.OnFlushRequest = cpu =>
        {
            FakeMachine.RunOn(cpu);
            TlbFlush.Serve(Hypervisor.Machine.Cpu);
            FakeMachine.RunOn(0);
        };

        TlbFlush.Domain(_domain);
        TlbFlush.DomainPage(_domain, 0x1000);

        Assert.Equal((2UL, 2UL), (_vcpu->Counters.Flushes, _vcpu->Counters.Shootdowns));
        Assert.Equal((0UL, 0UL), (other->Counters.Flushes, other->Counters.Shootdowns));
    }

    [Fact]
    public void The_vCPUs_numbers_are_summed_up()
    {
        _vcpu->Counters.Switches = 3;
        _domain->VcpuOf(1)->Counters.Switches = 4;
        Assert.Equal(7UL, Counters().Switches);
    }

    [Fact]
    public void What_is_kept_for_a_domain_is_told()
    {
        Assert.Equal(0, Read(_domain->Id, out StatisticsOp before));
        Assert.Equal((ulong)_domain->KeptFrames, before.KeptPages);
        void* pages = DomainMemory.Allocate(_domain, 1);
        Assert.Equal(0, Read(_domain->Id, out StatisticsOp after));
        Assert.Equal(before.KeptPages + 2, after.KeptPages);
        DomainMemory.Free(_domain, pages, 1);
    }

    [Fact]
    public void A_domain_that_is_not_there_is_refused()
    {
        Assert.Equal(-(long)Errno.Srch, Read(77, out _));
        Assert.Equal(-(long)Errno.Srch, Read(uint.MaxValue, out _));
    }

    private VcpuCounters Counters()
    {
        Assert.Equal(0, Read(_domain->Id, out StatisticsOp answer));
        return answer.Counters;
    }

    private long Read(uint domain, out StatisticsOp answer)
    {
        TestHost.Run(_host.Caller);
        SysCtl* request = _host.At<SysCtl>();
        *request = default;
        ((StatisticsOp*)request->Pad)->Domain = domain;
        long result = _host.SysCtl((SysCtlCommand)StatisticsExtension.SysCtl);
        answer = *(StatisticsOp*)request->Pad;
        TestHost.Run(_vcpu);
        return result;
    }

    private void Call(HypercallNumber number, params ulong[] arguments)
    {
        fixed (CpuUserRegs* frame = &_frame)
        {
            frame->Rax = (ulong)number;
            frame->Rdi = arguments[0];
            frame->Rsi = arguments.Length > 1 ? arguments[1] : 0;
            HypercallEntry.FromGuest(_vcpu, frame);
        }
    }
}
