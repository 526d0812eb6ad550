// SPDX-License-Identifier: MIT
// A performance counter that counts the cycles in which its CPU is not halted and interrupts it by NMI when it overflows:
// Intel's architectural ones (SDM Vol. 3B §19.2) and AMD's (APM Vol. 2 §13.2). Emulators state counters that do not count and
// accept writes that do nothing, so a counter is believed only after it has been seen to move.
//
// Locking: none; each CPU has its own.

using Hypervisor.Core.Apic;
using Hypervisor.Core.Emulation;

namespace Hypervisor.Core.Time;

/// <summary>Whose counters.</summary>
public enum CounterKind
{
    None = 0,
    Intel,
    IntelWithGlobalControl,
    Amd,
}

/// <summary>The running CPU's counter of cycles.</summary>
public static unsafe class CycleCounter
{
    private const uint IntelSelect = 0x186;
    private const uint IntelCounter = 0xC1;
    private const uint IntelGlobalControl = 0x38F;
    private const uint IntelOverflowControl = 0x390;
    private const uint AmdSelect = 0xC001_0000;
    private const uint AmdCounter = 0xC001_0004;
    private const ulong UserMode = 1 << 16;
    private const ulong KernelMode = 1 << 17;
    private const ulong InterruptOnOverflow = 1 << 20;
    private const ulong Enable = 1 << 22;
    private const ulong IntelCyclesNotHalted = 0x3C;
    private const ulong AmdCyclesNotHalted = 0x76;

    /// <summary>A write of an Intel counter extends bit 31, so a count is at most that long.</summary>
    private const ulong LongestPeriod = 0x7FFF_FFFF;
    private const uint DeliveryNmi = 4 << 8;
    private const int MovementTurns = 10_000;

    /// <summary>What the processor states: vendor and family; EAX of CPUID leaf Ah, or 0, and EBX, whose bits say which
    /// events are missing.</summary>
    public static CounterKind Choose(CpuVendor vendor, uint family, uint counters, uint missingEvents)
    {
        if (vendor == CpuVendor.Amd)
        {
            return family >= 6 ? CounterKind.Amd : CounterKind.None;
        }

        uint version = counters & 0xFF;
        bool hasCounter = (counters >> 8 & 0xFF) != 0;
        bool hasEvent = counters >> 24 != 0 && (missingEvents & 1) == 0;
        return vendor != CpuVendor.Intel || version == 0 || !hasCounter || !hasEvent ? CounterKind.None
            : version == 1 ? CounterKind.Intel
            : CounterKind.IntelWithGlobalControl;
    }

    /// <summary>Starts this CPU's counter; false where it does not count.</summary>
    public static bool TryStart(CounterKind kind, ulong period)
    {
        if (kind == CounterKind.None)
        {
            return false;
        }

        uint select = kind == CounterKind.Amd ? AmdSelect : IntelSelect;
        ulong cycles = kind == CounterKind.Amd ? AmdCyclesNotHalted : IntelCyclesNotHalted;
        ulong control;
        bool isThere = Machine.TryWriteMsr(select, 0) && TryLoad(kind, period)
            && (kind != CounterKind.IntelWithGlobalControl
                || (Machine.TryReadMsr(IntelGlobalControl, &control) && Machine.TryWriteMsr(IntelGlobalControl, control | 1)))
            && Machine.TryWriteMsr(select, cycles | UserMode | KernelMode | Enable);
        if (!isThere || !Moves(kind))
        {
            _ = Machine.TryWriteMsr(select, 0);
            return false;
        }

        _ = TryLoad(kind, period);
        ApicRegisters.Write(LocalApicRegister.LocalPerformance, DeliveryNmi);
        Machine.WriteMsr(select, cycles | UserMode | KernelMode | InterruptOnOverflow | Enable);
        return true;
    }

    /// <summary>Whether the running CPU has such a counter and it counts; it stands still afterwards.</summary>
    public static bool IsThere(CounterKind kind)
    {
        bool counts = TryStart(kind, LongestPeriod);
        if (counts)
        {
            _ = Machine.TryWriteMsr(kind == CounterKind.Amd ? AmdSelect : IntelSelect, 0);
        }

        return counts;
    }

    /// <summary>In an NMI: true when the counter has overflowed; it begins anew.</summary>
    public static bool TryRestart(CounterKind kind, ulong period)
    {
        if (kind == CounterKind.None || IsNegative(kind))
        {
            return false;
        }

        _ = TryLoad(kind, period);
        if (kind == CounterKind.IntelWithGlobalControl)
        {
            Machine.WriteMsr(IntelOverflowControl, 1);
        }

        // The delivery has masked the entry.
        ApicRegisters.Write(LocalApicRegister.LocalPerformance, DeliveryNmi);
        return true;
    }

    private static bool TryLoad(CounterKind kind, ulong period)
    {
        ulong start = 0 - (period < LongestPeriod ? period : LongestPeriod);
        return kind == CounterKind.Amd
            ? Machine.TryWriteMsr(AmdCounter, start & 0xFFFF_FFFF_FFFF)
            : Machine.TryWriteMsr(IntelCounter, start & 0xFFFF_FFFF);
    }

    /// <summary>It counts up from a negative number; bit 31 is extended in Intel's, bits 47 down in AMD's start are set.</summary>
    private static bool IsNegative(CounterKind kind) => (Read(kind) >> 31 & 1) != 0;

    private static ulong Read(CounterKind kind)
    {
        ulong value;
        return Machine.TryReadMsr(kind == CounterKind.Amd ? AmdCounter : IntelCounter, &value) ? value : 0;
    }

    private static bool Moves(CounterKind kind)
    {
        ulong first = Read(kind);
        for (int turn = 0; turn < MovementTurns; turn++)
        {
            if (Read(kind) != first)
            {
                return true;
            }

            Machine.Pause();
        }

        return false;
    }
}
