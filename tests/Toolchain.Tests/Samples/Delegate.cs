// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public delegate int Operation(int value);

public static class Delegates
{
    [RuntimeExport("sample")]
    public static int Run(int value)
    {
        Operation operation = Twice;
        return operation(value);
    }

    private static int Twice(int value) => value * 2;
}
