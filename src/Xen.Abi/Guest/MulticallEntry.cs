// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct multicall_entry</c>: one call of a multicall.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MulticallEntry
{
    /// <summary><c>op</c>: <see cref="HypercallNumber"/>.</summary>
    public ulong Op;

    /// <summary><c>result</c>: written back, negative errno on failure.</summary>
    public ulong Result;

    /// <summary><c>args</c>.</summary>
    public fixed ulong Args[6];
}
