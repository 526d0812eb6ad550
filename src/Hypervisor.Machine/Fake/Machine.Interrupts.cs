// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor;

public static unsafe partial class Machine
{
    private const ulong FakeIoApicAddress = 0xFEC0_0000;

    public static bool HasGsi(uint gsi) => FakeInterrupts.Current.Pins.ContainsKey(gsi);

    public static void ProgramGsi(uint gsi, int vector, uint apicId, bool isLevel, bool isActiveLow)
    {
        FakePin pin = FakeInterrupts.Current.Pins[gsi];
        pin.Vector = vector;
        pin.Destination = apicId;
        pin.IsLevel = isLevel;
        pin.IsActiveLow = isActiveLow;
        pin.IsMasked = true;
    }

    public static void MaskGsi(uint gsi) => FakeInterrupts.Current.Pins[gsi].IsMasked = true;

    public static void UnmaskGsi(uint gsi) => FakeInterrupts.Current.Pins[gsi].IsMasked = false;

    public static void SetGsiDestination(uint gsi, uint apicId) => FakeInterrupts.Current.Pins[gsi].Destination = apicId;

    public static void ClearStuckGsi(uint gsi) => FakeInterrupts.Current.ClearedStuckPins++;

    /// <summary>One controller, version 11h with 24 pins.</summary>
    public static bool TryReadIoApic(ulong physical, uint register, uint* value)
    {
        *value = register == 1 ? 0x0017_0011 : 0u;
        return physical == FakeIoApicAddress && register < 0x40;
    }

    public static void EndOfInterrupt() => FakeInterrupts.Current.EndOfInterrupts++;

    public static void ServeConsoleInterrupt() => FakeInterrupts.Current.ConsoleInterrupts++;

    public static void PollConsole() => FakeInterrupts.Current.ConsolePolls++;

    /// <summary>Device memory is plain memory.</summary>
    public static void* MapDevice(ulong physical, ulong length) =>
        physical + length <= FakeMachine.Current.MemorySize ? FakeMachine.Current.At(physical) : null;

    /// <summary>A function that is not there reads as all ones.</summary>
    public static uint ReadPciConfig(uint address, int offset, int bytes)
    {
        uint value = uint.MaxValue;
        if (FakeInterrupts.Current.PciFunctions.TryGetValue(address & 0x00FF_FF00, out byte[] space))
        {
            value = BitConverter.ToUInt32(space, (int)(address & 0xFC)) >> (8 * offset);
        }

        return bytes == 4 ? value : value & ((1u << (8 * bytes)) - 1);
    }

    public static void WritePciConfig(uint address, int offset, int bytes, uint value)
    {
        if (FakeInterrupts.Current.PciFunctions.TryGetValue(address & 0x00FF_FF00, out byte[] space))
        {
            for (int i = 0; i < bytes; i++)
            {
                space[(address & 0xFC) + offset + i] = (byte)(value >> (8 * i));
            }
        }
    }
}
