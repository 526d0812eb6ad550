// SPDX-License-Identifier: MIT
using System;
using System.Runtime;

namespace Sample;

public static class Throw
{
    [RuntimeExport("sample")]
    public static int Run(int value)
    {
        if (value == 0)
        {
            throw new OverflowException();
        }

        return value;
    }
}
