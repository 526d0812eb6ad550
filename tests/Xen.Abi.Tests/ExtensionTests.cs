// SPDX-License-Identifier: MIT

using System;
using System.Linq;
using Xen.Abi.Extensions;
using Xunit;

namespace Xen.Abi.Tests;

/// <summary>What no header of Xen declares crosses the same border, so its layout is for ever too.</summary>
public sealed class ExtensionTests
{
    [Fact]
    public unsafe void The_scheduling_operation_keeps_its_layout_and_fits_into_a_sysctl()
    {
        Assert.Equal(0x40, sizeof(SchedulingOp));
        Assert.True(sizeof(SchedulingOp) <= 128);
        Assert.Equal(0x53430001u, SchedulingExtension.SysCtl);
        Assert.Equal([0x0, 0x4, 0x8, 0xC, 0x10, 0x18, 0x18, 0x18, 0x18],
            AbiTypes.Fields(typeof(SchedulingOp)).Select(field => field.Offset));
        Assert.Equal([0, 4], AbiTypes.Fields(typeof(CreditShare)).Select(field => field.Offset));
        Assert.Equal([0, 8, 16, 24, 28], AbiTypes.Fields(typeof(SedfReservation)).Select(field => field.Offset));
        Assert.Equal([0, 4, 8, 16, 24], AbiTypes.Fields(typeof(BvtShare)).Select(field => field.Offset));
        Assert.Equal([0, 8, 16], AbiTypes.Fields(typeof(SchedulingTimes)).Select(field => field.Offset));
    }

    [Fact]
    public unsafe void The_statistics_operation_keeps_its_layout_and_fits_into_a_sysctl()
    {
        Assert.Equal(0x48, sizeof(StatisticsOp));
        Assert.Equal(0x53430002u, StatisticsExtension.SysCtl);
        Assert.Equal([0x0, 0x4, 0x8, 0x40], AbiTypes.Fields(typeof(StatisticsOp)).Select(field => field.Offset));
        Assert.Equal([0, 8, 16, 24, 32, 40, 48], AbiTypes.Fields(typeof(VcpuCounters)).Select(field => field.Offset));
    }

    [Theory]
    [InlineData(typeof(SchedulingCommand), "GetPolicy=0 SetPolicy=1 GetDomain=2 SetDomain=3 GetMachine=4 SetMachine=5")]
    [InlineData(typeof(SchedulingPolicy), "Credit=0 Sedf=1 Bvt=2")]
    public void Values_never_change(Type type, string expected) =>
        Assert.Equal(expected, string.Join(' ', Enum.GetNames(type).Select(name => $"{name}={(uint)Enum.Parse(type, name)}")));
}
