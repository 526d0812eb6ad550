// SPDX-License-Identifier: MIT
using System.Runtime;
using System.Runtime.InteropServices;

namespace Sample;

public static class PlatformInvoke
{
    [RuntimeExport("sample")]
    public static int Run(int value) => Outside(value);

    [DllImport("*", EntryPoint = "outside")]
    private static extern int Outside(int value);
}
