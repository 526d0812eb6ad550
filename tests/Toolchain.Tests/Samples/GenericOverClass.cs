// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public class Animal
{
}

public static class Counter<T>
{
    public static int Count;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Next() => ++Count;
}

public static class GenericOverClass
{
    [RuntimeExport("sample")]
    public static int Run() => Counter<Animal>.Next();
}
