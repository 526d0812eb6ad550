// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public class Animal
{
    public int Legs;
}

public class Dog : Animal
{
    public int Tail;
}

public static class Cast
{
    [RuntimeExport("sample")]
    public static unsafe int Run(nint value)
    {
        Animal animal = *(Animal*)&value;
        return ((Dog)animal).Tail;
    }
}
