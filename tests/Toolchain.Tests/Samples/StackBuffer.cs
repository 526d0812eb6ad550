// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public static unsafe class StackBuffer
{
    [RuntimeExport("sample")]
    public static int Run(int value)
    {
        byte* buffer = stackalloc byte[64];
        Fill(buffer, value);
        return buffer[3];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Fill(byte* buffer, int value) => buffer[3] = (byte)value;
}
