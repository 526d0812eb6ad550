// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static unsafe class ManagedFunctionPointer
{
    [RuntimeExport("sample")]
    public static int Run(int value) => Apply(value > 3 ? &Twice : &Thrice, value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Apply(delegate*<int, int> function, int value) => function(value);

    private static int Twice(int value) => value * 2;

    private static int Thrice(int value) => value * 3;
}
