// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static class StaticConstructor
{
    private static readonly int s_value = Compute();

    [RuntimeExport("sample")]
    public static int Run() => s_value;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static unsafe int Compute() => *(int*)0x1000;
}
