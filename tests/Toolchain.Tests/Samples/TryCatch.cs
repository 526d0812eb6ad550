// SPDX-License-Identifier: MIT
using System;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static class TryCatch
{
    private static int s_value;

    [RuntimeExport("sample")]
    public static int Run()
    {
        try
        {
            Work();
            return 1;
        }
        catch (OverflowException)
        {
            return 2;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Work() => s_value = 100 / s_value;
}
