// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor;

/// <summary>What is pushed onto a guest's kernel stack; the error code is left out for exceptions without one.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct BounceFrame
{
    public ulong Rcx;
    public ulong R11;
    public ulong ErrorCode;
    public ulong Rip;
    public ulong Cs;
    public ulong Rflags;
    public ulong Rsp;
    public ulong Ss;
}
