// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Xt.Testing;

/// <summary>
/// Chooses a few rows of a full product of factors so that any two values of any two factors meet in some row: most
/// faults need two circumstances, hardly any needs three. Greedy and without chance, so the rows are always the same.
/// </summary>
public static class PairwiseCover
{
    /// <param name="levels">The number of values of each factor.</param>
    /// <returns>Rows of value numbers, one for each factor.</returns>
    public static List<int[]> Of(IReadOnlyList<int> levels)
    {
        HashSet<(int First, int FirstValue, int Second, int SecondValue)> open = [];
        for (int first = 0; first < levels.Count; first++)
        {
            for (int second = first + 1; second < levels.Count; second++)
            {
                for (int product = 0; product < levels[first] * levels[second]; product++)
                {
                    _ = open.Add((first, product / levels[second], second, product % levels[second]));
                }
            }
        }

        List<int[]> rows = [];
        while (open.Count != 0)
        {
            int[] best = [];
            int most = 0;
            foreach (int[] row in Product(levels))
            {
                int gain = 0;
                foreach ((int, int, int, int) pair in PairsOf(row))
                {
                    gain += open.Contains(pair) ? 1 : 0;
                }

                (best, most) = gain > most ? (row, gain) : (best, most);
            }

            open.ExceptWith(PairsOf(best));
            rows.Add(best);
        }

        return rows;
    }

    /// <summary>All rows; the first factor changes slowest.</summary>
    public static IEnumerable<int[]> Product(IReadOnlyList<int> levels)
    {
        int count = 1;
        for (int factor = 0; factor < levels.Count; factor++)
        {
            count = checked(count * levels[factor]);
        }

        for (int number = 0; number < count; number++)
        {
            int[] row = new int[levels.Count];
            int rest = number;
            for (int factor = levels.Count - 1; factor >= 0; factor--)
            {
                (rest, row[factor]) = Math.DivRem(rest, levels[factor]);
            }

            yield return row;
        }
    }

    private static IEnumerable<(int First, int FirstValue, int Second, int SecondValue)> PairsOf(int[] row)
    {
        for (int first = 0; first < row.Length; first++)
        {
            for (int second = first + 1; second < row.Length; second++)
            {
                yield return (first, row[first], second, row[second]);
            }
        }
    }
}
