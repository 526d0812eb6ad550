// SPDX-License-Identifier: MIT
using Xt.Bench;
using Xunit;

namespace Xt.Tests;

public sealed class BenchTableTests
{
    [Fact]
    public void The_ratio_is_the_first_systems_part_of_the_second()
    {
        BenchTable table = new(["ours", "xen"]);
        table.Add("ours", "a", 100);
        table.Add("xen", "a", 400);
        table.Add("ours", "b", 400);
        table.Add("xen", "b", 400);

        Assert.Equal(0.25, table.Ratio("a"));
        Assert.Equal(0.5, table.GeometricMean()!.Value, 9);
    }

    [Fact]
    public void The_ratio_of_speeds_is_turned_round_for_less_to_be_better()
    {
        BenchTable table = new(["ours", "xen"]);
        table.Add("ours", "disk: read, MB/s", 400);
        table.Add("xen", "disk: read, MB/s", 100);

        Assert.Equal(0.25, table.Ratio("disk: read, MB/s"));
    }

    [Fact]
    public void A_row_that_one_system_lacks_has_no_ratio_and_does_not_count()
    {
        BenchTable table = new(["ours", "xen"]);
        table.Add("ours", "a", 100);
        table.Add("xen", "a", 200);
        table.Add("xen", "b", 1);

        Assert.Null(table.Ratio("b"));
        Assert.Equal(0.5, table.GeometricMean()!.Value, 9);
        Assert.Contains("-", table.ToText());
    }

    [Fact]
    public void Tables_of_systems_that_ran_apart_are_joined()
    {
        BenchTable xen = new(["xen"]);
        xen.Add("xen", "a", 8);
        BenchTable both = new(["ours", "xen"]);
        both.Add("ours", "a", 2);
        both.AddAll(xen);

        Assert.Equal(0.25, both.Ratio("a"));
        Assert.Equal(1, both.Rows);
    }
}
