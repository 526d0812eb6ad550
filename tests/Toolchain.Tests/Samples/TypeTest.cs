// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public class Animal
{
    public int Legs;
}

public class Dog : Animal
{
    public int Tail;
}

public class Puppy : Dog
{
    public int Age;
}

public static class TypeTest
{
    [RuntimeExport("sample")]
    public static bool Run(int kind) => IsDog(kind == 0 ? new Animal() : new Puppy());

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsDog(Animal animal) => animal is Dog;
}
