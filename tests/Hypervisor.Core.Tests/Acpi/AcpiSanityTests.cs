// SPDX-License-Identifier: MIT

using Hypervisor.Core.Acpi;
using Hypervisor.Core.Boot;
using Xunit;

namespace Hypervisor.Core.Tests.Acpi;

public sealed unsafe class AcpiSanityTests
{
    private static int Drop(AcpiFirmware firmware, int addressBits, params (ulong Start, ulong End)[] ram)
    {
        MemoryMap map = default;
        foreach ((ulong start, ulong end) in ram)
        {
            Assert.True(map.TryAdd(start, end - start, (uint)MemoryType.Ram));
        }

        Assert.Equal(BootError.Ok, map.Normalise());
        Assert.Equal(AcpiError.Ok, firmware.Read());
        return AcpiSanity.DropImpossible(firmware.Information, &map, addressBits);
    }

    [Fact]
    public void Devices_beside_RAM_stay()
    {
        using AcpiFirmware firmware = new();

        Assert.Equal(0, Drop(firmware, 36, (0, 0x8000_0000), (0x1_0000_0000, 0x2_0000_0000)));
        Assert.Equal(1, firmware.Information->IoApicCount);
        Assert.Equal(1, firmware.Information->ConfigSpaceCount);
        Assert.True(firmware.Information->HasHpet);
    }

    [Fact]
    public void Devices_in_RAM_are_forgotten()
    {
        using AcpiFirmware firmware = new();

        Assert.Equal(3, Drop(firmware, 36, (0, 0x2_0000_0000)));
        Assert.Equal(0, firmware.Information->IoApicCount);
        Assert.Equal(0, firmware.Information->ConfigSpaceCount);
        Assert.False(firmware.Information->HasHpet);
    }

    [Fact]
    public void The_others_keep_their_order()
    {
        using AcpiFirmware firmware = new();
        firmware.WriteMadt(
            [0, 8, 0, 0, 1, 0, 0, 0],
            [1, 12, 4, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0],
            [1, 12, 5, 0, 0, 0, 0x10, 0, 24, 0, 0, 0],
            [1, 12, 6, 0, 0, 0, 0xC1, 0xFE, 48, 0, 0, 0]);

        Assert.Equal(1, Drop(firmware, 36, (0, 0x8000_0000)));
        Assert.Equal(2, firmware.Information->IoApicCount);
        Assert.Equal(0u, firmware.Information->IoApic(0).GsiBase);
        Assert.Equal(48u, firmware.Information->IoApic(1).GsiBase);
    }

    [Theory]
    [InlineData(0x10_0000_0000UL)]
    [InlineData(0xF_F800_0000UL)] // begins below the end of all addresses
    public void Configuration_space_that_no_address_reaches_is_forgotten(ulong address)
    {
        using AcpiFirmware firmware = new();
        firmware.Write64(AcpiFirmware.McfgAt + 44, address);
        firmware.Seal(AcpiFirmware.McfgAt);

        Assert.Equal(1, Drop(firmware, 36, (0, 0x8000_0000)));
        Assert.Equal(0, firmware.Information->ConfigSpaceCount);
    }
}
