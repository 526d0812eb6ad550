// SPDX-License-Identifier: MIT
using System.Runtime.InteropServices;

namespace Sample;

public static class UnmanagedCallers
{
    [UnmanagedCallersOnly(EntryPoint = "sample")]
    public static int Run(int value) => value + 1;
}
