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
        Assert.Equal(800, BootCase.All(full: true).Distinct().Count());
        Assert.Equal(cover, BootCase.All(full: false));
    }

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
