// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary>
/// <c>struct e820entry</c>: one range of a memory map, as INT 15h, AX=E820h returns it (ACPI specification,
/// "Query System Address Map"): 20 bytes, so entries of a list are not aligned.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
public struct E820Entry
{
    /// <summary><c>addr</c>: physical address of the first byte.</summary>
    public ulong Addr;

    /// <summary><c>size</c>: bytes.</summary>
    public ulong Size;

    /// <summary><c>type</c>: <see cref="E820Type"/>.</summary>
    public uint Type;
}

/// <summary><c>E820_*</c>: values of <see cref="E820Entry.Type"/>.</summary>
public enum E820Type : uint
{
    /// <summary><c>E820_RAM</c>: usable.</summary>
    Ram = 1,

    /// <summary><c>E820_RESERVED</c>: not to be touched.</summary>
    Reserved = 2,

    /// <summary><c>E820_ACPI</c>: tables, usable once they are read.</summary>
    Acpi = 3,

    /// <summary><c>E820_NVS</c>: firmware memory to be kept over sleep.</summary>
    Nvs = 4,

    /// <summary><c>E820_UNUSABLE</c>: RAM with errors.</summary>
    Unusable = 5,
}
