// SPDX-License-Identifier: MIT
// Compiled into the tests and into the sample Layout: both must lay it out alike.
using System.Runtime.InteropServices;

namespace Sample;

[StructLayout(LayoutKind.Explicit, Size = 24)]
public struct Overlay
{
    [FieldOffset(4)]
    public ushort Narrow;

    [FieldOffset(8)]
    public ulong Wide;
}

[StructLayout(LayoutKind.Sequential)]
public unsafe struct Shape
{
    public bool Flag;
    public ushort Small;
    public byte Tiny;
    public void* Pointer;
    public bool OtherFlag;
    public fixed uint Words[3];
    public Overlay Overlay;
    public byte Last;
}
