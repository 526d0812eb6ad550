// SPDX-License-Identifier: MIT

using Hypervisor.Core.Apic;
using Xunit;

namespace Hypervisor.Core.Tests.Apic;

public sealed unsafe class ApicRegistersTests
{
    private const uint InterruptCommandMsr = 0x830;

    private readonly FakeMachine _machine = FakeMachine.Reset();

    [Fact]
    public void In_xAPIC_mode_registers_are_device_memory_and_numbers_have_eight_bits()
    {
        uint* registers = (uint*)_machine.Memory;
        ApicRegisters.UseMemory(registers);
        Assert.False(ApicRegisters.IsX2Mode);
        registers[0x20 / 4] = 0xAB00_0000;
        Assert.Equal(0xABu, ApicRegisters.Id);

        ApicRegisters.Write(LocalApicRegister.LocalTimer, 0x1_00F8);
        Assert.Equal(0x1_00F8u, registers[0x320 / 4]);
        registers[0x390 / 4] = 77;
        Assert.Equal(77u, ApicRegisters.Read(LocalApicRegister.TimerCurrentCount));
        Assert.Empty(FakeMachine.Cpu.Msrs);
    }

    [Fact]
    public void In_xAPIC_mode_a_command_waits_for_the_last_one_and_names_its_goal_first()
    {
        uint* registers = (uint*)_machine.Memory;
        ApicRegisters.UseMemory(registers);
        ApicRegisters.Command(7, 0x40F9);
        Assert.Equal(7u << 24, registers[0x310 / 4]);
        Assert.Equal(0x40F9u, registers[0x300 / 4]);
        Assert.Equal(0, FakeMachine.Cpu.Pauses);

        // A command that never leaves is overwritten in the end.
        registers[0x300 / 4] |= 1 << 12;
        ApicRegisters.Command(8, 0x40FA);
        Assert.True(FakeMachine.Cpu.Pauses > 1000);
        Assert.Equal(8u << 24, registers[0x310 / 4]);
        Assert.Equal(0x40FAu, registers[0x300 / 4]);
    }

    [Fact]
    public void In_x2APIC_mode_registers_are_MSRs_and_numbers_have_32_bits()
    {
        ApicRegisters.UseMsrs();
        Assert.True(ApicRegisters.IsX2Mode);
        FakeMachine.Cpu.Msrs[0x802] = 0x1_0203;
        Assert.Equal(0x1_0203u, ApicRegisters.Id);

        ApicRegisters.Write(LocalApicRegister.EndOfInterrupt, 0);
        ApicRegisters.Write(LocalApicRegister.LocalTimer, 0xF8);
        Assert.Equal(0ul, FakeMachine.Cpu.Msrs[0x80B]);
        Assert.Equal(0xF8ul, FakeMachine.Cpu.Msrs[0x832]);
        FakeMachine.Cpu.Msrs[0x839] = 99;
        Assert.Equal(99u, ApicRegisters.Read(LocalApicRegister.TimerCurrentCount));
    }

    [Fact]
    public void In_x2APIC_mode_a_command_is_one_write_behind_a_fence()
    {
        ApicRegisters.UseMsrs();
        ApicRegisters.Command(0x1_0203, 0x40F9);
        Assert.Equal(0x0001_0203_0000_40F9ul, FakeMachine.Cpu.Msrs[InterruptCommandMsr]);
        Assert.Equal(1, FakeMachine.Cpu.Fences);
        Assert.False(FakeMachine.Cpu.Msrs.ContainsKey(0x831)); // there is no second half
    }
}
