// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public static class CheckedArithmetic
{
    [RuntimeExport("sample")]
    public static int Run(int value) => checked(value + 1);
}
