// SPDX-License-Identifier: MIT

using Hypervisor.Core.Acpi;
using Hypervisor.Core.Apic;
using Hypervisor.Core.Tests.Acpi;
using Xunit;

namespace Hypervisor.Core.Tests.Apic;

public sealed unsafe class ApicModesTests
{
    [Theory]
    [InlineData(true, true, true, 3u, ApicModeReason.X2ByFirmware)]
    [InlineData(true, true, false, 300u, ApicModeReason.X2ByFirmware)]
    [InlineData(true, false, true, 3u, ApicModeReason.X2ByFirmware)]
    [InlineData(false, true, true, 254u, ApicModeReason.X2Entered)]
    [InlineData(false, true, true, 255u, ApicModeReason.LargeIds)]
    [InlineData(false, true, false, 3u, ApicModeReason.Forbidden)]
    [InlineData(false, false, true, 3u, ApicModeReason.NoX2)]
    [InlineData(false, false, false, 300u, ApicModeReason.NoX2)]
    public void The_mode_follows_from_firmware_processor_command_line_and_numbers(
        bool isOn, bool hasX2, bool mayUseX2, uint highestId, ApicModeReason expected)
    {
        ApicModeReason reason = ApicModes.Choose(isOn, hasX2, mayUseX2, highestId);
        Assert.Equal(expected, reason);
        bool isX2 = expected is ApicModeReason.X2ByFirmware or ApicModeReason.X2Entered;
        Assert.Equal(isX2, ApicModes.IsX2(reason));
        string text = System.Text.Encoding.UTF8.GetString(ApicModes.Describe(reason));
        Assert.StartsWith(isX2 ? "x2APIC mode" : "xAPIC mode", text, System.StringComparison.Ordinal);
    }

    [Fact]
    public void The_highest_number_is_that_of_an_enabled_CPU()
    {
        using AcpiFirmware firmware = new();
        Assert.Equal(AcpiError.Ok, firmware.Read());
        Assert.Equal(0x1234u, ApicModes.HighestId(firmware.Information));
        Assert.False(ApicModes.IsReachableByDevices(0x1234));
        Assert.False(ApicModes.IsReachableByDevices(255));
        Assert.True(ApicModes.IsReachableByDevices(254));
    }
}
