// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public abstract class Visitor
{
    public abstract int Visit<T>(int value);
}

public sealed class Doubling : Visitor
{
    public override int Visit<T>(int value) => value * 2;
}

public sealed class Adding : Visitor
{
    public override int Visit<T>(int value) => value + 1;
}

public static class GenericVirtualMethod
{
    [RuntimeExport("sample")]
    public static unsafe int Run(nint visitor, int value) => (*(Visitor*)&visitor).Visit<int>(value);
}
