// SPDX-License-Identifier: MIT
// A condition that is constant disappears, and the import behind it with it; the one that is false stays.
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Sample;

public struct Right
{
    public ulong A;
    public uint B;
}

public struct Wrong
{
    public ulong A;
    public uint B;
}

public static unsafe class LayoutAssertion
{
    [RuntimeExport("sample")]
    public static void Run()
    {
        if (sizeof(Right) != 16)
        {
            RightMismatch();
        }

        if (sizeof(Wrong) != 12)
        {
            WrongMismatch();
        }
    }

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "FORBIDDEN_Layout_Right")]
    private static extern void RightMismatch();

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "FORBIDDEN_Layout_Wrong")]
    private static extern void WrongMismatch();
}
