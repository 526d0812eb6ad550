// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.X64.Boot;

/// <summary>A method's place, as its distance from the table's start, and that of its name.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MethodNameEntry
{
    public int Distance;
    public uint Name;
}

/// <summary>The table of names that the build links into the image (tools/ImageCheck), sorted by address.</summary>
public static unsafe class MethodNames
{
    /// <summary>Writes a line with an address of code and its name; a return address belongs to the call before it.</summary>
    public static void Print(ulong address, bool isReturn)
    {
        Log.Error("  ["u8).Hex(address, 16).Text("]"u8).Name(address, isReturn ? 1UL : 0).End();
    }

    /// <summary>Appends <c>Type.Method+offset</c>, or nothing when no method begins before the address.</summary>
    private static LogLine Name(this LogLine line, ulong address, ulong back)
    {
        MethodNameEntry* table = ImageLayout.NameTable;
        long distance = (long)(address - (ulong)table);
        long wanted = distance - (long)back;
        long low = 0;
        long high = ImageLayout.NameTableEnd - table;
        while (low < high)
        {
            long middle = (low + high) / 2;
            if (table[middle].Distance <= wanted)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        if (low == 0)
        {
            return line;
        }

        byte* name = ImageLayout.Names + table[low - 1].Name;
        return line.Text(" "u8).Text(new System.ReadOnlySpan<byte>(name + 1, *name))
            .Text("+0x"u8).Hex((ulong)(distance - table[low - 1].Distance));
    }
}
