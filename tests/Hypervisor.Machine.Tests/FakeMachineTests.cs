// SPDX-License-Identifier: MIT

using System.Threading;
using Xunit;

namespace Hypervisor.Tests;

public unsafe class FakeMachineTests
{
    private readonly FakeMachine _machine = FakeMachine.Reset(memory: 1 << 20, cpus: 2);

    [Fact]
    public void The_direct_map_goes_both_ways()
    {
        void* place = Machine.Direct(0x4567);
        Assert.Equal(0x4567UL, Machine.PhysicalOf(place));
        Assert.True(Machine.Direct(new Mfn(4)) == _machine.Memory + 0x4000);
    }

    [Fact]
    public void The_direct_map_ends_with_memory() =>
        _ = Assert.Throws<HypervisorPanicException>(() => (nint)Machine.Direct((1 << 20) + 1));

    [Fact]
    public void A_panic_is_an_exception_with_its_text()
    {
        HypervisorPanicException panic =
            Assert.Throws<HypervisorPanicException>(() => Panic.Because("two owners"u8));
        Assert.Equal("two owners", panic.Message);
    }

    [Fact]
    public void Log_lines_are_collected_above_the_threshold_only()
    {
        Log.Info("Domain-0: "u8).Decimal(12).Text(" pages at "u8).Hex(0x3f, 4).End();
        Machine.LogThreshold = LogLevel.Error;
        Log.Warning("not shown"u8).End();
        Assert.Equal("(XEN) Domain-0: 12 pages at 003f\n", _machine.Console);
    }

    [Fact]
    public void Each_processor_has_its_own_block_and_registers()
    {
        FakeMachine.RunOn(1);
        Assert.Equal(1u, Machine.Cpu->CpuId);
        Machine.WriteCr3(0x1000);
        Machine.RaiseSoftIrq(SoftIrq.Timer);
        FakeMachine.RunOn(0);
        Assert.Equal(0UL, Machine.ReadCr3());
        Assert.Equal(0u, Machine.Cpu->SoftIrqPending);
        Assert.Equal(SoftIrq.Timer, Machine.CpuOf(1)->SoftIrqPending);
    }

    [Fact]
    public void The_idle_loop_jumps_to_the_armed_timer()
    {
        Machine.ArmTimer(5000);
        Machine.Idle();
        Assert.Equal(5000UL, Machine.ReadTsc());
        Assert.Equal(SoftIrq.Timer, Machine.Cpu->SoftIrqPending);
        _ = Assert.Throws<HypervisorPanicException>(Machine.Idle);
    }

    [Fact]
    public void Registers_that_do_not_exist_are_refused()
    {
        ulong value;
        Assert.False(Machine.TryReadMsr(0x10, &value));
        Assert.False(Machine.TryWriteMsr(0x10, 1));
        FakeMachine.Cpu.Msrs[0x10] = 7;
        Assert.True(Machine.TryReadMsr(0x10, &value));
        Assert.Equal(7UL, value);
    }

    [Fact]
    public void Bits_are_set_and_cleared_by_number_across_words()
    {
        ulong* bitmap = stackalloc ulong[2];
        Assert.False(Machine.TestAndSetBit(bitmap, 65));
        Assert.True(Machine.TestAndSetBit(bitmap, 65));
        Assert.Equal(2UL, bitmap[1]);
        Assert.True(Machine.TestAndClearBit(bitmap, 65));
        Assert.False(Machine.TestAndClearBit(bitmap, 65));
    }

    [Fact]
    public void Extended_state_goes_there_and_back_with_the_image_s_vectors()
    {
        byte* area = stackalloc byte[1024];
        ulong* vectors = stackalloc ulong[8];
        for (int index = 0; index < 8; index++)
        {
            vectors[index] = (ulong)index + 1;
        }

        FakeMachine.Cpu.Xcr0 = 3;
        FakeMachine.Cpu.ExtendedState[160 + (3 * 16)] = 33;
        Machine.SaveExtendedState(area, 3, vectors);
        Assert.Equal(7UL, *(ulong*)(area + 160 + (8 * 16)));
        Assert.Equal(33, area[160 + (3 * 16)]);
        Assert.Equal(3UL, *(ulong*)(area + 512));

        ulong* restored = stackalloc ulong[8];
        Machine.RestoreExtendedState(area, 3, restored);
        Assert.Equal(8UL, restored[7]);

        *(ulong*)(area + 512) = 1 << 20;
        Machine.RestoreExtendedState(area, 3, restored);
        Assert.Equal(0UL, restored[7]);
    }

    [Fact]
    public void A_second_thread_may_play_another_processor()
    {
        uint seen = 0;
        Thread other = new(() =>
        {
            FakeMachine.Join(_machine, 1);
            seen = Machine.Cpu->CpuId;
            Machine.Kick(0);
        });
        other.Start();
        other.Join();
        Assert.Equal(1u, seen);
        Assert.Equal(1, _machine.CpuOf(0).Kicks);
    }

    [Fact]
    public void A_lock_that_nobody_releases_is_noticed()
    {
        SpinLock held = default;
        held.Acquire();
        Assert.False(held.TryAcquire());
        _machine.OnSpinWait = () => held.Release();
        held.Acquire();
        held.Release();
        Assert.True(held.TryAcquire());
    }
}
