// SPDX-License-Identifier: MIT
using System.Runtime;

namespace Sample;

public unsafe struct Page
{
    public fixed byte Bytes[4096];
}

public static unsafe class BigStructCopy
{
    [RuntimeExport("sample")]
    public static void Run(Page* from, Page* to)
    {
        *to = *from;
        *from = default;
    }
}
