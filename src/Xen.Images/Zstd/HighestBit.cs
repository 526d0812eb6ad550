// SPDX-License-Identifier: MIT
namespace Xen.Images;

/// <summary>The number of the highest set bit.</summary>
internal static class HighestBit
{
    /// <param name="value">Not 0.</param>
    public static int Of(uint value)
    {
        int number = 0;
        for (int step = 16; step != 0; step >>= 1)
        {
            if (value >> step != 0)
            {
                value >>= step;
                number += step;
            }
        }

        return number;
    }
}
