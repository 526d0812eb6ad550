// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Efi;
using Hypervisor.Core.Tests.Boot;

namespace Hypervisor.Core.Tests.Efi;

/// <summary>64 KiB of pretended physical memory with the tables of a small EFI machine; a test mangles them before it
/// reads.</summary>
internal sealed unsafe class EfiMemory : IDisposable
{
    public const int SystemTableAt = 0x2000;
    public const int VendorAt = 0x2100;
    public const int RuntimeAt = 0x2200;
    public const int ConfigurationAt = 0x3000;
    public const int MapAt = 0x4000;
    public const int RsdpAt = 0x5000;
    public const int DescriptorSize = 48;

    /// <summary>Where the services are, each at its offset in the table from here.</summary>
    public const ulong RuntimeCode = 0xE000;

    private int _descriptors;

    public EfiMemory()
    {
        Firmware = (EfiFirmware*)NativeMemory.AllocZeroed((nuint)sizeof(EfiFirmware));
        Bytes.Write64(SystemTableAt, 0x5453_5953_2049_4249);
        Bytes.Write32(SystemTableAt + 8, (2 << 16) | 70);
        Bytes.Write32(SystemTableAt + 12, 120);
        Bytes.Write64(SystemTableAt + 24, VendorAt);
        Bytes.Write32(SystemTableAt + 32, 0x10000);
        Bytes.Write64(SystemTableAt + 88, RuntimeAt);
        Bytes.Write64(SystemTableAt + 104, 2);
        Bytes.Write64(SystemTableAt + 112, ConfigurationAt);
        for (int i = 0; i < 4; i++)
        {
            Bytes.Write16(VendorAt + (2 * i), "ACME"[i]);
        }

        Bytes.Write64(RuntimeAt, 0x5652_4553_544E_5552);
        Bytes.Write32(RuntimeAt + 8, (2 << 16) | 80);
        Bytes.Write32(RuntimeAt + 12, 136);
        for (int i = 24; i < 136; i += 8)
        {
            Bytes.Write64(RuntimeAt + i, RuntimeCode + (ulong)i);
        }

        WriteConfiguration(1, new Guid("8868e871-e4f1-11d3-bc22-0080c73c8881"), RsdpAt);
        Bytes.WriteText(RsdpAt, "RSD PTR ");
        Information->EfiSystemTable64 = SystemTableAt;
        Information->EfiMapAddress = MapAt;
        Information->EfiDescriptorSize = DescriptorSize;
        _ = Information->MemoryMap.TryAdd(0, BootMemory.Size, (uint)MemoryType.Ram);
    }

    public BootMemory Bytes { get; } = new();

    public BootInformation* Information => Bytes.Information;

    public EfiFirmware* Firmware { get; }

    public void WriteConfiguration(int index, Guid guid, ulong address)
    {
        _ = guid.TryWriteBytes(new Span<byte>(Bytes.At(ConfigurationAt + (24 * index)), 16));
        Bytes.Write64(ConfigurationAt + (24 * index) + 16, address);
    }

    public int AddDescriptor(uint type, ulong start, ulong pages, ulong attributes = 0xF)
    {
        int at = MapAt + (DescriptorSize * _descriptors++);
        Bytes.Write32(at, type);
        Bytes.Write64(at + 8, start);
        Bytes.Write64(at + 24, pages);
        Bytes.Write64(at + 32, attributes);
        Information->EfiMapLength = (uint)(DescriptorSize * _descriptors);
        return at;
    }

    public EfiError Read() =>
        EfiTables.Read(new PhysicalWindow(Bytes.At(0), BootMemory.Size), Information, Firmware);

    public void Dispose()
    {
        Bytes.Dispose();
        NativeMemory.Free(Firmware);
    }
}
