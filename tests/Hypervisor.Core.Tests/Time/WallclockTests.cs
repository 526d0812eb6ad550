// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Tests.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Time;

public sealed unsafe class WallclockTests : IDisposable
{
    private readonly TestSystem _system = new();
    private readonly Domain* _first;
    private readonly Domain* _second;

    public WallclockTests()
    {
        _first = _system.AddDomain(1);
        _second = _system.AddDomain(7);
    }

    public void Dispose() => _system.Dispose();

    [Theory]
    [InlineData(1_700_000_000UL, 500_000_000u, 0UL)]
    [InlineData(1_700_000_000UL, 100u, 5_000_000_200UL)]
    [InlineData(1_700_000_000UL, 999_999_999u, 12_345_678_901UL)]
    [InlineData(0x1_2345_6789UL, 0u, 1UL)]
    [InlineData(5UL, 3_500_000_000u, 1UL)]
    public void Base_and_system_time_add_up_to_the_time_of_day_in_every_domain(ulong sec, uint nsec, ulong systemTime)
    {
        Wallclock.Set(sec, nsec, systemTime);
        foreach (nint domain in new[] { (nint)_first, (nint)_second })
        {
            SharedInfo* shared = ((Domain*)domain)->SharedInfo;
            UInt128 seconds = ((UInt128)shared->WcSecHi << 32) | shared->WcSec;
            Assert.True(shared->WcNsec < 1_000_000_000);
            UInt128 found = (seconds * 1_000_000_000) + shared->WcNsec + systemTime;
            Assert.Equal(((UInt128)sec * 1_000_000_000) + nsec, found);
            Assert.Equal(0u, shared->WcVersion & 1);
        }
    }

    [Fact]
    public void The_version_changes_with_every_update()
    {
        Wallclock.Set(1000, 0);
        uint version = _first->SharedInfo->WcVersion;
        Wallclock.Set(1001, 0);
        Assert.Equal(version + 2, _first->SharedInfo->WcVersion);
    }

    [Fact]
    public void A_domain_s_offset_is_its_own_and_may_be_negative()
    {
        _second->Time.OffsetSeconds = -3600;
        Wallclock.Set(1_000_000, 0, 0);
        Assert.Equal(1_000_000u, _first->SharedInfo->WcSec);
        Assert.Equal(996_400u, _second->SharedInfo->WcSec);
    }

    [Fact]
    public void A_domain_without_shared_info_is_left_out()
    {
        _first->SharedInfo = null;
        Wallclock.Set(77, 0, 0);
        Assert.Equal(77u, _second->SharedInfo->WcSec);
    }

    [Fact]
    public void References_are_given_back()
    {
        Wallclock.Set(1, 0, 0);
        Assert.Equal(2, _first->References);
    }
}
