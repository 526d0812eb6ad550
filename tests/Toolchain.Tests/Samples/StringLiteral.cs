// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static class StringLiteral
{
    [RuntimeExport("sample")]
    public static int Run() => Length("text");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Length(string text) => text == null ? 0 : 1;
}
