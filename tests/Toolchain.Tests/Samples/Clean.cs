// SPDX-License-Identifier: MIT
// What ring 0 is written in: structs, pointers, spans of constants, switches, fixed buffers, constant tables.
using System;
using System.Runtime;
using System.Runtime.InteropServices;

namespace Sample;

[StructLayout(LayoutKind.Sequential)]
public unsafe struct Record
{
    public ulong First;
    public fixed ulong Words[6];
    public int Last;
}

public static unsafe class Clean
{
    private static Record s_record;
    private static uint s_count;

    private static ReadOnlySpan<uint> Table => [3, 1, 4, 1, 5, 9];

    [RuntimeExport("sample")]
    public static ulong Run(Record* from, Record* to, int index)
    {
        *to = *from;
        s_record = *to;
        s_count += Table[index];
        ReadOnlySpan<byte> text = "text"u8;
        return Choose(index) + text[index & 3] + s_count + s_record.Words[index & 3];
    }

    private static ulong Choose(int index) => index switch
    {
        0 => 17,
        1 => s_record.First,
        2 => (ulong)s_record.Last,
        3 => 99,
        4 => s_record.First + 1,
        _ => 0,
    };
}
