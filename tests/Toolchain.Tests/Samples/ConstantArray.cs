// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public static class ConstantArray
{
    private static readonly int[] s_table = [3, 1, 4, 1, 5, 9];

    [RuntimeExport("sample")]
    public static int Run(int index) => s_table[index];
}
