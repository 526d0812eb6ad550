// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public interface IShape
{
    int Area(int size);
}

public sealed class Square : IShape
{
    public int Area(int size) => size * size;
}

public sealed class Strip : IShape
{
    public int Area(int size) => size;
}

public sealed class Dot : IShape
{
    public int Area(int size) => 1;
}

public sealed class Empty : IShape
{
    public int Area(int size) => 0;
}

public static class InterfaceDispatch
{
    [RuntimeExport("sample")]
    public static unsafe int Run(int kind, int size)
    {
        IShape shape = kind switch
        {
            0 => new Square(),
            1 => new Strip(),
            2 => new Dot(),
            _ => new Empty(),
        };
        return shape.Area(size);
    }
}
