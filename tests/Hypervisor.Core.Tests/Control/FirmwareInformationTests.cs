// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Control;
using Hypervisor.Core.Efi;
using Hypervisor.Core.Tests.Efi;
using Hypervisor.Core.Tests.Lifecycle;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Control;

public sealed unsafe class FirmwareInformationTests : IDisposable
{
    private readonly TestHost _host = new();
    private readonly EfiMemory _memory = new();

    public FirmwareInformationTests()
    {
        _ = _memory.AddDescriptor(6, 0x8000, 4, 0x8000_0000_0000_000F);
        Assert.Equal(EfiError.Ok, _memory.Read());
        EfiTables.Current = _memory.Firmware;
    }

    private PlatformOp* Platform => _host.At<PlatformOp>();

    private PlatformFirmwareInfo* Info => &Platform->FirmwareInfo;

    public void Dispose()
    {
        EfiTables.Current = null;
        _memory.Dispose();
    }

    [Fact]
    public void Versions_and_the_configuration_table_are_those_of_the_firmware()
    {
        Assert.Equal(0, Ask(EfiInfoIndex.Version));
        Assert.Equal((2u << 16) | 70, Info->EfiInfoVersion);
        Assert.Equal(0, Ask(EfiInfoIndex.RtVersion));
        Assert.Equal((2u << 16) | 80, Info->EfiInfoVersion);
        Assert.Equal(0, Ask(EfiInfoIndex.ConfigTable));
        Assert.Equal((ulong)EfiMemory.ConfigurationAt, Info->EfiInfoCfgAddr);
        Assert.Equal(2u, Info->EfiInfoCfgNent);
    }

    [Theory]
    [InlineData(0u, "....")]
    [InlineData(5u, "AC..")]
    [InlineData(8u, "ACME")]
    [InlineData(200u, "ACME\0...")]
    public void The_vendors_name_is_written_as_far_as_there_is_room(uint size, string expected)
    {
        ushort* buffer = _host.At<ushort>(TestHost.BufferAddress);
        for (int i = 0; i < 8; i++)
        {
            buffer[i] = '.';
        }

        Prepare(EfiInfoIndex.Vendor);
        Info->EfiInfoVendorBufSz = size;
        Info->EfiInfoVendorName = TestHost.BufferAddress;
        Assert.Equal(0, Call());
        Assert.Equal(expected, new string((char*)buffer, 0, expected.Length));
        Assert.Equal(0x10000u, Info->EfiInfoVendorRevision);
    }

    [Fact]
    public void A_buffer_in_the_hypervisors_hole_is_refused()
    {
        Prepare(EfiInfoIndex.Vendor);
        Info->EfiInfoVendorBufSz = 16;
        Info->EfiInfoVendorName = MemoryLayout.DirectMap;
        Assert.Equal(-(long)Errno.Fault, Call());
    }

    [Theory]
    [InlineData(0x9000UL, 0x100UL, 0x100UL)]
    [InlineData(0x9000UL, 0x100000UL, 0x3000UL)]
    [InlineData(0x9000UL, ulong.MaxValue, 0x3000UL)]
    public void Memory_is_described_up_to_the_end_of_its_range(ulong address, ulong size, ulong expected)
    {
        Prepare(EfiInfoIndex.MemInfo);
        Info->EfiInfoMemAddr = address;
        Info->EfiInfoMemSize = size;
        Assert.Equal(0, Call());
        Assert.Equal(expected, Info->EfiInfoMemSize);
        Assert.Equal((6u, 0x8000_0000_0000_000FUL), (Info->EfiInfoMemType, Info->EfiInfoMemAttr));
    }

    [Fact]
    public void Memory_of_which_the_firmware_says_nothing_is_not_described()
    {
        Prepare(EfiInfoIndex.MemInfo);
        Info->EfiInfoMemAddr = 0xC000;
        Assert.Equal(-(long)Errno.Srch, Call());
    }

    [Theory]
    [InlineData(EfiInfoIndex.PciRom, Errno.Srch)]
    [InlineData(EfiInfoIndex.AppleProperties, Errno.NoData)]
    [InlineData((EfiInfoIndex)7, Errno.Inval)]
    public void What_is_not_known_is_refused(EfiInfoIndex index, Errno expected) =>
        Assert.Equal(-(long)expected, Ask(index));

    [Fact]
    public void Unusable_runtime_services_have_no_version()
    {
        _memory.Firmware->RuntimeRevision = 0;
        Assert.Equal(-(long)Errno.OpNotSupp, Ask(EfiInfoIndex.RtVersion));
    }

    [Fact]
    public void Runtime_services_are_refused_with_EFI_and_unknown_without()
    {
        Prepare(EfiInfoIndex.Version);
        Platform->Cmd = (uint)PlatformCommand.EfiRuntimeCall;
        Assert.Equal(-(long)Errno.OpNotSupp, Call());
        EfiTables.Current = null;
        Assert.Equal(-(long)Errno.NoSys, Call());
    }

    private long Ask(EfiInfoIndex index)
    {
        Prepare(index);
        return Call();
    }

    private void Prepare(EfiInfoIndex index)
    {
        *Platform = default;
        Platform->Cmd = (uint)PlatformCommand.FirmwareInfo;
        Platform->InterfaceVersion = PlatformInterface.Version;
        Info->Type = (uint)FirmwareInfoType.EfiInfo;
        Info->Index = (uint)index;
    }

    private long Call() => PlatformOps.Dispatch(_host.Caller, TestHost.RequestAddress, null).Raw;
}
