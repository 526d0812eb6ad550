// SPDX-License-Identifier: MIT
// An initialiser that the compiler can run itself becomes data.
using System.Runtime;

namespace Sample;

public static class FoldedStaticConstructor
{
    private static readonly int s_value = 6 * 7;
    private static int s_counter = 5;

    [RuntimeExport("sample")]
    public static int Run() => s_value + s_counter++;
}
