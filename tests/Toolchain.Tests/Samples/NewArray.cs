// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public static class NewArray
{
    [RuntimeExport("sample")]
    public static int Run(int length)
    {
        int[] array = new int[length];
        return array.Length;
    }
}
