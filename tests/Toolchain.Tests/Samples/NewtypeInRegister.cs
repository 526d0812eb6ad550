// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public readonly struct Mfn
{
    private readonly ulong _value;

    public Mfn(ulong value) => _value = value;

    public static Mfn operator +(Mfn frame, ulong count) => new(frame._value + count);
}

public static class NewtypeInRegister
{
    [RuntimeExport("sample")]
    public static Mfn Run(Mfn frame) => frame + 1;
}
