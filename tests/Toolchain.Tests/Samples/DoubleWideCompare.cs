// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public struct Pair
{
    public ulong Low;
    public ulong High;
}

public static unsafe class DoubleWideCompare
{
    [RuntimeExport("sample")]
    public static Pair Run(Pair* pairs, int index)
    {
        Pair chosen = pairs[index];
        pairs[index + 1] = chosen;
        return chosen;
    }
}
