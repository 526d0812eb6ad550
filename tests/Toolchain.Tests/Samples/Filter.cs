// SPDX-License-Identifier: MIT
using System;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static class Filter
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
        catch (Exception) when (s_value == 3)
        {
            return 2;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Work() => s_value = 100 / s_value;
}
