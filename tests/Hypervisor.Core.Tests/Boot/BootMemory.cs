// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using System.Text;
using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Tests.Boot;

/// <summary>64 KiB of pretended physical memory, with an information structure to fill; the byte after it is not
/// there.</summary>
internal sealed unsafe class BootMemory : IDisposable
{
    public const int Size = 64 * 1024;
    private readonly byte* _bytes = (byte*)NativeMemory.AllocZeroed(Size);

    public BootMemory() =>
        Information = (BootInformation*)NativeMemory.AllocZeroed((nuint)sizeof(BootInformation));

    public BootInformation* Information { get; }

    public byte* At(int address) => _bytes + address;

    public void Write8(int address, byte value) => _bytes[address] = value;

    public void Write16(int address, ushort value) => *(ushort*)(_bytes + address) = value;

    public void Write32(int address, uint value) => *(uint*)(_bytes + address) = value;

    public void Write64(int address, ulong value) => *(ulong*)(_bytes + address) = value;

    public void WriteText(int address, string text)
    {
        Encoding.ASCII.GetBytes(text, new Span<byte>(_bytes + address, text.Length));
        _bytes[address + text.Length] = 0;
    }

    public BootError Parse(uint magic, ulong address = 0x1000) =>
        MultibootInfo.Parse(magic, address, new PhysicalWindow(_bytes, Size), Information);

    public static string Text(BootText text) => Encoding.ASCII.GetString(text.Pointer, text.Length);

    public void Dispose()
    {
        NativeMemory.Free(_bytes);
        NativeMemory.Free(Information);
    }
}
