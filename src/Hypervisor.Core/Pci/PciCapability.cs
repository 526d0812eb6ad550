// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Pci;

/// <summary>The capability list of a function (PCI Local Bus 3.0 §6.7).</summary>
public static unsafe class PciCapability
{
    public const byte Msi = 0x05;
    public const byte MsiX = 0x11;

    private const uint Status = 0x06;
    private const uint HeaderType = 0x0E;
    private const uint Pointer = 0x34;
    private const uint HasList = 0x10;

    /// <summary>More capabilities than fit after the header: a list that runs longer runs in a circle.</summary>
    private const int LongestList = 48;

    /// <summary>Register of the capability, or 0.</summary>
    public static uint Find(PciAddress address, byte id)
    {
        // A CardBus bridge (type 2) has its pointer elsewhere and no messages.
        if (!PciConfig.Exists(address) || (PciConfig.Read(address, Status, 2) & HasList) == 0
            || (PciConfig.Read(address, HeaderType, 1) & 0x7F) > 1)
        {
            return 0;
        }

        uint position = PciConfig.Read(address, Pointer, 1) & 0xFC;
        for (int i = 0; i < LongestList && position >= 0x40; i++)
        {
            uint header = PciConfig.Read(address, position, 2);
            if ((header & 0xFF) == id)
            {
                return position;
            }

            position = header >> 8 & 0xFC;
        }

        return 0;
    }
}
