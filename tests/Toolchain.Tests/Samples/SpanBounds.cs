// SPDX-License-Identifier: MIT
using System;
using System.Runtime;

namespace Sample;

public static unsafe class SpanBounds
{
    [RuntimeExport("sample")]
    public static int Run(byte* start, int length, int index) => new ReadOnlySpan<byte>(start, length)[index];
}
