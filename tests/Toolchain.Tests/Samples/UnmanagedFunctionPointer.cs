// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public static unsafe class UnmanagedFunctionPointer
{
    [RuntimeExport("sample")]
    public static int Run(delegate* unmanaged<int, int> function, int value) => function(value);
}
