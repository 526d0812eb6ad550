// SPDX-License-Identifier: MIT

namespace Hypervisor.X64.Apic;

/// <summary>The two 8259 controllers (Intel 8259A data sheet): initialised so that they are in a known state, then
/// masked for good.</summary>
public static class LegacyPic
{
    private const ushort MasterCommand = 0x20;
    private const ushort MasterData = 0x21;
    private const ushort SlaveCommand = 0xA0;
    private const ushort SlaveData = 0xA1;
    private const byte InitialiseWithFourWords = 0x11;
    private const byte SlaveOnPin2 = 0x04;
    private const byte SlaveIdentity = 0x02;
    private const byte Mode8086 = 0x01;
    private const byte MaskAll = 0xFF;

    /// <summary>A vector range that nothing else uses: even masked controllers can deliver a spurious
    /// interrupt.</summary>
    public const int FirstVector = 0xF0;

    public static void Disable()
    {
        Write(MasterData, MaskAll);
        Write(SlaveData, MaskAll);
        Write(MasterCommand, InitialiseWithFourWords);
        Write(SlaveCommand, InitialiseWithFourWords);
        Write(MasterData, FirstVector);
        Write(SlaveData, FirstVector);
        Write(MasterData, SlaveOnPin2);
        Write(SlaveData, SlaveIdentity);
        Write(MasterData, Mode8086);
        Write(SlaveData, Mode8086);
        Write(MasterData, MaskAll);
        Write(SlaveData, MaskAll);
    }

    /// <summary>Old controllers want a pause between commands: a write to the diagnostic port takes one.</summary>
    private static void Write(ushort port, byte value)
    {
        Machine.Out8(port, value);
        Machine.Out8(0x80, 0);
    }
}
