// SPDX-License-Identifier: MIT
// Zeroing and copying of small structs goes through vector registers: the set that the entry stubs save.
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public struct Four
{
    public ulong A;
    public ulong B;
    public ulong C;
    public ulong D;
}

public unsafe struct Eight
{
    public Four Low;
    public Four High;
    public fixed ushort Words[12];
}

public static unsafe class SmallStructs
{
    [RuntimeExport("sample")]
    public static ulong Run(Eight* from, Eight* to)
    {
        Eight local = default;
        Change(&local);
        Eight whole = *from;
        *from = *to;
        *to = whole;
        Four swapped = from->Low;
        from->Low = from->High;
        from->High = swapped;
        to->Low = local.High;
        return local.Low.A;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Change(Eight* value) => value->High = default;
}
