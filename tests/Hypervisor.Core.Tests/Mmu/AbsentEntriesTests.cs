// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Mmu;
using Xunit;

namespace Hypervisor.Core.Tests.Mmu;

/// <summary>The rule alone; the micro guest of the same name tries every way to write an entry.</summary>
public sealed unsafe class AbsentEntriesTests : IDisposable
{
    private const ulong EndOfRam = 4UL << 30;

    private readonly DomainBench _bench = new();
    private readonly Domain* _guest;

    public AbsentEntriesTests()
    {
        _guest = _bench.AddDomain(1);
        AbsentEntries.Guard(EndOfRam, physicalAddressBits: 46);
    }

    public void Dispose()
    {
        AbsentEntries.Guard(0, 46);
        _bench.Dispose();
    }

    [Theory]
    [InlineData(0x0000_0000_0000_0000, true)]
    [InlineData(0x0000_0000_0000_0F00, true)] // flags, and no address
    [InlineData(0x0000_0000_0000_1000, false)]
    [InlineData(0x8000_0000_1234_5800, false)]
    [InlineData(0x0000_0000_FFFF_F000, false)] // the last page of RAM
    [InlineData(0x0000_0001_0000_0000, true)] // the first behind
    [InlineData(0x000F_FFFF_FFFF_E000, true)] // as Linux inverts the address of page 1
    [InlineData(0x0000_1000_0000_1000, false)] // 44 bits are compared
    public void An_absent_entry_may_not_name_RAM(ulong entry, bool isAllowed)
    {
        Assert.Equal(isAllowed, AbsentEntries.IsAllowed(_guest, entry));
        Assert.True(AbsentEntries.IsAllowed(_bench.Dom0, entry));
    }

    [Fact]
    public void Processors_with_fewer_address_bits_compare_fewer()
    {
        AbsentEntries.Guard(EndOfRam, physicalAddressBits: 36);
        Assert.False(AbsentEntries.IsAllowed(_guest, 0x0010_0000_1000));
        Assert.True(AbsentEntries.IsAllowed(_guest, 0x000F_FFFF_FFFF_E000));
    }

    [Fact]
    public void Without_the_fault_there_is_no_rule()
    {
        AbsentEntries.Guard(0, 46);
        Assert.True(AbsentEntries.IsAllowed(_guest, 0x1000));
    }
}
