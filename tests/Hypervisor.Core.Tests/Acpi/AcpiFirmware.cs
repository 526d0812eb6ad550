// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using System.Text;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Tests.Acpi;

/// <summary>1 MiB of pretended physical memory with the tables of a small PC; a test mangles them before it
/// reads.</summary>
internal sealed unsafe class AcpiFirmware : IDisposable
{
    public const int Size = 0x100000;
    public const int RootPointerAt = 0xF0010;
    public const int RootTableAt = 0x10000;
    public const int MadtAt = 0x11000;
    public const int FadtAt = 0x12000;
    public const int HpetAt = 0x13000;
    public const int McfgAt = 0x14000;
    private readonly byte* _bytes = (byte*)NativeMemory.AllocZeroed(Size);

    public AcpiFirmware(bool isWide = true)
    {
        Information = (AcpiInformation*)NativeMemory.AllocZeroed((nuint)sizeof(AcpiInformation));
        WriteMadt(
            [0, 8, 0, 0, 1, 0, 0, 0],
            [0, 8, 1, 1, 1, 0, 0, 0],
            [0, 8, 2, 2, 0, 0, 0, 0],
            [9, 16, 0, 0, 0x34, 0x12, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0],
            [1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0],
            [2, 10, 0, 0, 2, 0, 0, 0, 0, 0],
            [2, 10, 0, 9, 9, 0, 0, 0, 0x0D, 0],
            [2, 10, 0, 11, 11, 0, 0, 0, 0x0F, 0],
            [4, 6, 0xFF, 0, 0, 1],
            [3, 8, 5, 0, 23, 0, 0, 0]);
        WriteFadt();
        WriteTable(HpetAt, "HPET", 56);
        Write8(HpetAt + 40, 0);
        Write64(HpetAt + 44, 0xFED00000);
        Write8(HpetAt + 53, 0x80);
        WriteTable(McfgAt, "MCFG", 60);
        Write64(McfgAt + 44, 0xB0000000);
        Write8(McfgAt + 55, 255);
        int entry = isWide ? 8 : 4;
        WriteTable(RootTableAt, isWide ? "XSDT" : "RSDT", 36 + (4 * entry));
        int[] tables = [MadtAt, FadtAt, HpetAt, McfgAt];
        for (int i = 0; i < tables.Length; i++)
        {
            Write32(RootTableAt + 36 + (i * entry), (uint)tables[i]);
            Seal(tables[i]);
        }

        Seal(RootTableAt);
        WriteRootPointer(RootPointerAt, isWide);
    }

    public AcpiInformation* Information { get; }

    public byte* At(int address) => _bytes + address;

    public void Write8(int address, byte value) => _bytes[address] = value;

    public void Write16(int address, ushort value) => *(ushort*)(_bytes + address) = value;

    public void Write32(int address, uint value) => *(uint*)(_bytes + address) = value;

    public void Write64(int address, ulong value) => *(ulong*)(_bytes + address) = value;

    public void WriteTable(int address, string signature, int length)
    {
        Encoding.ASCII.GetBytes(signature, new Span<byte>(_bytes + address, 4));
        Write32(address + 4, (uint)length);
        Write8(address + 8, 5);
    }

    public void WriteMadt(params byte[][] entries)
    {
        int offset = 44;
        foreach (byte[] entry in entries)
        {
            entry.CopyTo(new Span<byte>(_bytes + MadtAt + offset, entry.Length));
            offset += entry.Length;
        }

        WriteTable(MadtAt, "APIC", offset);
        Write32(MadtAt + 36, 0xFEE00000);
        Write32(MadtAt + 40, 1);
        Seal(MadtAt);
    }

    public void WriteRootPointer(int address, bool isWide)
    {
        Encoding.ASCII.GetBytes("RSD PTR ", new Span<byte>(_bytes + address, 8));
        Write8(address + 15, isWide ? (byte)2 : (byte)0);
        Write32(address + 16, isWide ? 0u : RootTableAt);
        Write8(address + 8, 0);
        Write8(address + 8, Missing(address, 20));
        if (isWide)
        {
            Write32(address + 20, 36);
            Write64(address + 24, RootTableAt);
            Write8(address + 32, 0);
            Write8(address + 32, Missing(address, 36));
        }
    }

    /// <summary>Makes the checksum right.</summary>
    public void Seal(int table)
    {
        Write8(table + 9, 0);
        Write8(table + 9, Missing(table, *(int*)(_bytes + table + 4)));
    }

    public AcpiError Read(byte* copy = null, uint copyLength = 0) =>
        AcpiTables.Read(new PhysicalWindow(_bytes, Size), copy, copyLength, Information);

    public void Dispose()
    {
        NativeMemory.Free(_bytes);
        NativeMemory.Free(Information);
    }

    private byte Missing(int address, int length)
    {
        byte sum = 0;
        for (int i = 0; i < length; i++)
        {
            sum += _bytes[address + i];
        }

        return (byte)-sum;
    }

    private void WriteFadt()
    {
        WriteTable(FadtAt, "FACP", 244);
        Write32(FadtAt + 36, 0x7FE0000);
        Write32(FadtAt + 40, 0x7FE1000);
        Write16(FadtAt + 46, 9);
        Write32(FadtAt + 48, 0xB2);
        Write8(FadtAt + 52, 2);
        Write32(FadtAt + 64, 0x604);
        Write32(FadtAt + 76, 0x608);
        Write8(FadtAt + 91, 4);
        Write8(FadtAt + 108, 0x32);
        Write32(FadtAt + 112, 1 << 10 | 1 << 8);
        Write8(FadtAt + 116, 1);
        Write8(FadtAt + 117, 8);
        Write64(FadtAt + 120, 0xCF9);
        Write8(FadtAt + 128, 0x0F);
        Write64(FadtAt + 140, 0x7FE2000);
    }
}
