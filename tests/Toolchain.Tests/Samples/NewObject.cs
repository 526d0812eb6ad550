// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public sealed class Thing
{
    public int Value;
}

public static class NewObject
{
    [RuntimeExport("sample")]
    public static int Run(int value)
    {
        Thing thing = new();
        thing.Value = value;
        return Keep(thing);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static int Keep(Thing thing) => thing.Value;
}
