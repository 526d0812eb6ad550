// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using Xt.Testing;
using Xunit;

namespace Xt.Tests;

public sealed class PairwiseCoverTests
{
    [Theory]
    [InlineData(2, 2)]
    [InlineData(4, 2, 5, 4, 5)]
    [InlineData(1, 3, 3, 3)]
    public void Any_two_values_of_two_factors_meet_in_some_row(params int[] levels)
    {
        List<int[]> rows = PairwiseCover.Of(levels);

        for (int first = 0; first < levels.Length; first++)
        {
            for (int second = first + 1; second < levels.Length; second++)
            {
                int pairs = rows.Select(row => (row[first], row[second])).Distinct().Count();
                Assert.Equal(levels[first] * levels[second], pairs);
            }
        }
    }

    [Fact]
    public void The_boot_matrix_needs_few_rows_of_its_product()
    {
        List<BootCase> cover = BootCase.All(full: false);

        Assert.InRange(cover.Count, 25, 32);
        List<BootCase> all = BootCase.All(full: true);
        Assert.Equal(800, all.Count(one => one.Vcpus == one.Cpus));
        Assert.Equal(all.Count, all.Select(one => one.Name).Distinct().Count());
        Assert.Subset(all.ToHashSet(), cover.ToHashSet());
        Assert.Equal(cover, BootCase.All(full: false));
    }

    [Fact]
    public void Domain_0_has_one_two_and_four_vCPUs_on_one_two_and_four_CPUs() =>
        Assert.Equal(9, BootCase.All(full: false).Where(one => one.Cpus <= 4).Select(one => (one.Cpus, one.Vcpus)).Distinct().Count());

    [Fact]
    public void A_product_has_each_row_once()
    {
        List<int[]> rows = [.. PairwiseCover.Product([2, 3])];

        Assert.Equal(6, rows.Count);
        Assert.Equal([0, 0], rows[0]);
        Assert.Equal([0, 1], rows[1]);
        Assert.Equal([1, 2], rows[5]);
    }
}
