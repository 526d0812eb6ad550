// SPDX-License-Identifier: MIT
// What a `using` of a lock becomes: the body of the finally stands in the ordinary path.
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static class Finally
{
    private static int s_value;

    [RuntimeExport("sample")]
    public static int Run()
    {
        try
        {
            Work(3);
            return s_value;
        }
        finally
        {
            Work(7);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Work(int factor) => s_value *= factor;
}
