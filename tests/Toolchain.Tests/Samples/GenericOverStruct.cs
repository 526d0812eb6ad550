// SPDX-License-Identifier: MIT
// A generic over structs melts into the caller: no dictionary, no dispatch.
using System.Runtime;

namespace Sample;

public interface IPolicy
{
    static abstract int Pick(int value);
}

public struct Doubling : IPolicy
{
    public static int Pick(int value) => value * 2;
}

public static class Chooser<T>
    where T : struct, IPolicy
{
    public static int Pick(int value) => T.Pick(value);
}

public static class GenericOverStruct
{
    [RuntimeExport("sample")]
    public static int Run(int value) => Chooser<Doubling>.Pick(value);
}
