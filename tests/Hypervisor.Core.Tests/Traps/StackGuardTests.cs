// SPDX-License-Identifier: MIT

using System.Text;
using Hypervisor.Core.Traps;
using Xunit;

namespace Hypervisor.Core.Tests.Traps;

public sealed unsafe class StackGuardTests
{
    private const int PagesOfBlock = 1 << (MemoryLayout.PerCpuShift - MemoryLayout.PageShift);

    [Theory]
    [InlineData(MemoryLayout.PerCpuStack - 1, "the ordinary stack")]
    [InlineData(MemoryLayout.PerCpuStack - 0x5000, "the ordinary stack")]
    [InlineData(MemoryLayout.PerCpuStack, "")]
    [InlineData(MemoryLayout.PerCpuStackTop - 8, "")]
    [InlineData(MemoryLayout.PerCpuData, "")]
    [InlineData(MemoryLayout.PerCpuLdt, "")]
    [InlineData(MemoryLayout.PerCpuDebugStackTop - 0x1001, "the stack of #DB")]
    [InlineData(MemoryLayout.PerCpuDebugStackTop - 0x1000, "")]
    [InlineData(MemoryLayout.PerCpuNmiStackTop - 0x1008, "the NMI stack")]
    [InlineData(MemoryLayout.PerCpuDoubleFaultStackTop - 0x2000, "the stack of #DF")]
    [InlineData(MemoryLayout.PerCpuMachineCheckStackTop - 0x1FFF, "the machine check stack")]
    [InlineData(MemoryLayout.PerCpuMachineCheckStackTop, "")]
    public void An_address_tells_which_stack_has_overflowed(ulong offset, string name)
    {
        ulong address = MemoryLayout.PerCpuBase + (3UL << MemoryLayout.PerCpuShift) + offset;
        Assert.Equal(name, Encoding.UTF8.GetString(StackGuard.NameOf(address)));
        Assert.Equal(3u, StackGuard.CpuOf(address));
        Assert.Equal(name.Length != 0, StackGuard.IsOverflow(address, 0));
        Assert.Equal(name.Length != 0, StackGuard.IsOverflow(0x1000, address));
    }

    [Theory]
    [InlineData(0ul)]
    [InlineData(MemoryLayout.PerCpuBase - 0x1001)]
    [InlineData(MemoryLayout.PerCpuBase + (64UL << MemoryLayout.PerCpuShift) + MemoryLayout.PerCpuStack - 8)]
    [InlineData(ulong.MaxValue)]
    public void Addresses_outside_of_the_blocks_are_no_guards(ulong address) =>
        Assert.True(StackGuard.NameOf(address).IsEmpty);

    [Fact]
    public void Stacks_are_mapped_and_guards_are_not()
    {
        ulong* entries = stackalloc ulong[PagesOfBlock];
        Assert.False(StackGuard.HasGuards(entries));
        for (ulong page = 0; page < PagesOfBlock; page++)
        {
            entries[page] = StackGuard.NameOf(MemoryLayout.PerCpuBase + (page << 12)).IsEmpty ? 1u : 0u;
        }

        Assert.True(StackGuard.HasGuards(entries));
        ulong guard = (MemoryLayout.PerCpuStack >> 12) - 1;
        entries[guard] = 1;
        Assert.False(StackGuard.HasGuards(entries));
        entries[guard] = 0;
        entries[(MemoryLayout.PerCpuNmiStackTop >> 12) - 1] = 0;
        Assert.False(StackGuard.HasGuards(entries));
    }
}
