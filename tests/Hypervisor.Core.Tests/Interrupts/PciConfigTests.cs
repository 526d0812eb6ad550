// SPDX-License-Identifier: MIT

using Hypervisor.Core.Pci;
using Xunit;

namespace Hypervisor.Core.Tests.Interrupts;

public sealed class PciConfigTests
{
    [Fact]
    public void Bytes_words_and_double_words_are_read_where_they_are()
    {
        FakeInterrupts controllers = FakeInterrupts.Reset();
        byte[] space = new byte[256];
        space[0x10] = 0x11;
        space[0x11] = 0x22;
        space[0x12] = 0x33;
        space[0x13] = 0x44;
        controllers.PciFunctions[0x02_0800] = space;
        PciAddress device = new(0, 2, 8);

        Assert.Equal(0x44332211u, PciConfig.Read(device, 0x10, 4));
        Assert.Equal(0x4433u, PciConfig.Read(device, 0x12, 2));
        Assert.Equal(0x22u, PciConfig.Read(device, 0x11, 1));
        PciConfig.Write(device, 0x12, 2, 0xABCD);
        Assert.Equal(0xABCD2211u, PciConfig.ReadLatched(0x8002_0810, 0, 4));
        Assert.Equal(0xABu, PciConfig.ReadLatched(0x8002_0813, 3, 1));
    }

    [Fact]
    public void What_is_not_there_reads_as_all_ones()
    {
        _ = FakeInterrupts.Reset();

        Assert.Equal(0xFFFFu, PciConfig.Read(new PciAddress(0, 1, 1), 0, 2));
        Assert.Equal(0xFFu, PciConfig.Read(new PciAddress(1, 0, 0), 0, 1));
        Assert.Equal(uint.MaxValue, PciConfig.ReadLatched(0x8000_0000, 2, 4));
        Assert.False(PciConfig.Exists(new PciAddress(0, 1, 1)));
    }
}
