// SPDX-License-Identifier: MIT

using Hypervisor.Core.Apic;
using Xunit;

namespace Hypervisor.Core.Tests.Apic;

public sealed class ApicTimerTests
{
    private const ulong HalfRate = 1UL << 31;

    [Theory]
    [InlineData(0ul, 1000ul, 0u)] // stop
    [InlineData(1ul, 1000ul, 1u)] // long past: as soon as can be
    [InlineData(1000ul, 1000ul, 1u)]
    [InlineData(1001ul, 1000ul, 1u)] // less than one tick of the timer
    [InlineData(3000ul, 1000ul, 1000u)]
    [InlineData(3001ul, 1000ul, 1000u)] // early rather than late
    [InlineData(0x2_0000_0000ul, 0ul, uint.MaxValue)]
    [InlineData(ulong.MaxValue, 5ul, uint.MaxValue)] // never: cut, not wrapped
    public void A_deadline_becomes_a_count(ulong deadline, ulong now, uint count) =>
        Assert.Equal(count, ApicTimer.CountUntil(deadline, now, HalfRate));

    [Fact]
    public void A_timer_faster_than_the_counter_never_wraps()
    {
        const ulong fourTimes = 4UL << 32;
        Assert.Equal(4000u, ApicTimer.CountUntil(2000, 1000, fourTimes));
        Assert.Equal(uint.MaxValue, ApicTimer.CountUntil(ulong.MaxValue, 0, fourTimes));
        Assert.Equal(uint.MaxValue, ApicTimer.CountUntil((1UL << 62) + 1, 1, fourTimes));
    }

    [Fact]
    public void The_rate_is_the_quotient_of_what_both_have_counted()
    {
        Assert.Equal(HalfRate, ApicTimer.Ratio(500, 1000));
        Assert.Equal(4UL << 32, ApicTimer.Ratio(4000, 1000));
        Assert.Equal(0ul, ApicTimer.Ratio(0, 1000));
        Assert.Equal(0ul, ApicTimer.Ratio(10, 0));
    }
}
