// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct trap_info</c>: one entry of a virtual IDT; a list ends with address 0.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TrapInfo
{
    /// <summary><c>vector</c>.</summary>
    public byte Vector;

    /// <summary><c>flags</c>: bits 1:0 lowest privilege that may use INT n, bit 2 masks upcalls on entry.</summary>
    public byte Flags;

    /// <summary><c>cs</c>: code selector.</summary>
    public ushort Cs;

    /// <summary><c>address</c>: handler.</summary>
    public ulong Address;
}
