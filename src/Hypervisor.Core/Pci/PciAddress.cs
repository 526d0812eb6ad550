// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Pci;

/// <summary>A function of a PCI device: segment, bus, and device with function (<c>devfn</c>).</summary>
public readonly struct PciAddress
{
    /// <summary>Segment in bits 31 to 16, bus in 15 to 8, devfn in 7 to 0.</summary>
    public readonly uint Raw;

    public PciAddress(uint raw) => Raw = raw;

    public PciAddress(uint segment, uint bus, uint devFn) =>
        Raw = (segment << 16) | ((bus & 0xFF) << 8) | (devFn & 0xFF);

    public uint Segment => Raw >> 16;

    /// <summary>As port CF8h takes it, for register 0.</summary>
    public uint Latch => 0x8000_0000 | ((Raw & 0xFFFF) << 8);

    /// <summary>The function that a latched CF8h value names; configuration ports reach segment 0 alone.</summary>
    public static PciAddress OfLatch(uint latch) => new(latch >> 8 & 0xFFFF);
}
