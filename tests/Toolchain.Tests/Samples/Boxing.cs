// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static class Boxing
{
    [RuntimeExport("sample")]
    public static int Run(int value) => Take(value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Take(object value) => value == null ? 0 : 1;
}
