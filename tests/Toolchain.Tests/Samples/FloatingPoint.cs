// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public static unsafe class FloatingPoint
{
    [RuntimeExport("sample")]
    public static int Run(double* values) => (int)((values[0] * values[1]) + 0.5);
}
