// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public abstract class Animal
{
    public abstract int Legs();
}

public sealed class Dog : Animal
{
    public override int Legs() => 4;
}

public sealed class Bird : Animal
{
    public override int Legs() => 2;
}

public static class VirtualMethod
{
    [RuntimeExport("sample")]
    public static unsafe int Run(nint animal) => (*(Animal*)&animal).Legs();
}
