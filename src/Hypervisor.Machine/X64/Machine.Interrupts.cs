// SPDX-License-Identifier: MIT
// Interrupt controllers and PCI configuration space, driven by Hypervisor.X64.

using System.Runtime;
using System.Runtime.CompilerServices;

namespace Hypervisor;

public static unsafe partial class Machine
{
    /// <summary>True when a pin of some I/O APIC serves the global system interrupt.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "ioapic_serves")]
    public static extern bool HasGsi(uint gsi);

    /// <summary>Gives the pin its vector, destination and signalling; it stays or becomes masked.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "ioapic_program")]
    public static extern void ProgramGsi(uint gsi, int vector, uint apicId, bool isLevel, bool isActiveLow);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "ioapic_mask")]
    public static extern void MaskGsi(uint gsi);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "ioapic_unmask")]
    public static extern void UnmaskGsi(uint gsi);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "ioapic_set_destination")]
    public static extern void SetGsiDestination(uint gsi, uint apicId);

    /// <summary>Frees a level-triggered pin that still waits for an EOI that was lost.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "ioapic_clear_stuck")]
    public static extern void ClearStuckGsi(uint gsi);

    /// <summary>Reads a register of the I/O APIC at a physical address; false where there is none.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "ioapic_read_register")]
    public static extern bool TryReadIoApic(ulong physical, uint register, uint* value);

    /// <summary>Ends the interrupt that this CPU serves.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "apic_end_of_interrupt")]
    public static extern void EndOfInterrupt();

    /// <summary>A serial line's interrupt has come.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "console_interrupt")]
    public static extern void ServeConsoleInterrupt();

    /// <summary>Looks after the serial lines from a timer: interrupts may have been lost.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "console_poll")]
    public static extern void PollConsole();

    /// <summary>Maps device memory uncached, for good; null where there is no room.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_map_device")]
    public static extern void* MapDevice(ulong physical, ulong length);

    /// <summary>Reads configuration space by the port mechanism. The caller serialises (<c>PciConfig</c>).</summary>
    /// <param name="address">As port CF8h takes it: enable bit, bus, device, function, register rounded down to four.</param>
    /// <param name="offset">Byte within the register, 0 to 3.</param>
    /// <param name="bytes">1, 2 or 4, not reaching beyond the register.</param>
    public static uint ReadPciConfig(uint address, int offset, int bytes)
    {
        Out32(0xCF8, address);
        ushort port = (ushort)(0xCFC + offset);
        return bytes switch
        {
            1 => In8(port),
            2 => In16(port),
            _ => In32(port),
        };
    }

    public static void WritePciConfig(uint address, int offset, int bytes, uint value)
    {
        Out32(0xCF8, address);
        ushort port = (ushort)(0xCFC + offset);
        switch (bytes)
        {
            case 1:
                Out8(port, (byte)value);
                break;
            case 2:
                Out16(port, (ushort)value);
                break;
            default:
                Out32(port, value);
                break;
        }
    }
}
