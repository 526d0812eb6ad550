// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public unsafe struct Operations
{
    public delegate*<int, int> First;
    public delegate*<int, int> Second;
}

public static unsafe class MethodPointerTable
{
    private static readonly Operations s_operations = new() { First = &Twice, Second = &Thrice };

    [RuntimeExport("sample")]
    public static int Run(int value) => s_operations.First(value) + s_operations.Second(value);

    private static int Twice(int value) => value * 2;

    private static int Thrice(int value) => value * 3;
}
