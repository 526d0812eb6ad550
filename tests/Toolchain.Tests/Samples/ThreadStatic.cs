// SPDX-License-Identifier: MIT
using System;
using System.Runtime;

namespace Sample;

public static class ThreadStatics
{
    [ThreadStatic]
    private static int s_value;

    [RuntimeExport("sample")]
    public static int Run() => ++s_value;
}
