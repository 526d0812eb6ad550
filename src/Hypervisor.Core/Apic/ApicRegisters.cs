// SPDX-License-Identifier: MIT
// The registers of the local APIC in either mode (Intel SDM Vol. 3A §11.4.1, §11.12). In xAPIC mode they are device memory at
// one address for every CPU, each on 16 bytes of its own, and an APIC's number has 8 bits. In x2APIC mode they are MSRs, the
// number has 32 bits, and the two halves of the interrupt command are one register, written at once.
//
// Locking: none; a CPU touches its own APIC with interrupts off. The mode is the same on all CPUs and set once.

using System.Runtime.CompilerServices;
using System.Threading;

namespace Hypervisor.Core.Apic;

/// <summary>Register offsets in device memory; an MSR number is 800h plus a sixteenth of it.</summary>
public enum LocalApicRegister : uint
{
    Id = 0x20,
    Version = 0x30,
    TaskPriority = 0x80,
    EndOfInterrupt = 0xB0,
    LogicalDestination = 0xD0,
    DestinationFormat = 0xE0,
    SpuriousVector = 0xF0,
    InService = 0x100,
    ErrorStatus = 0x280,
    CommandLow = 0x300,
    CommandHigh = 0x310,
    LocalTimer = 0x320,
    LocalThermal = 0x330,
    LocalPerformance = 0x340,
    LocalInterrupt0 = 0x350,
    LocalInterrupt1 = 0x360,
    LocalError = 0x370,
    TimerInitialCount = 0x380,
    TimerCurrentCount = 0x390,
    TimerDivide = 0x3E0,
}

/// <summary>Reads, writes, commands.</summary>
public static unsafe class ApicRegisters
{
    private const uint FirstMsr = 0x800;
    private const uint DeliveryPending = 1 << 12;

    /// <summary>Turns to wait for an earlier command to leave; it takes a few bus cycles.</summary>
    private const int CommandPatience = 1_000_000;

    private static byte* s_registers;
    private static bool s_isX2Mode;

    public static bool IsX2Mode
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => s_isX2Mode;
    }

    /// <summary>This CPU's number on the bus.</summary>
    public static uint Id
    {
        get
        {
            uint value = Read(LocalApicRegister.Id);
            return s_isX2Mode ? value : value >> 24;
        }
    }

    /// <summary>From now on registers are MSRs.</summary>
    public static void UseMsrs() => s_isX2Mode = true;

    /// <summary>From now on registers are where <paramref name="registers"/> points.</summary>
    public static void UseMemory(void* registers)
    {
        s_registers = (byte*)registers;
        s_isX2Mode = false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read(LocalApicRegister register) =>
        s_isX2Mode
            ? (uint)Machine.ReadMsr(FirstMsr + ((uint)register >> 4))
            : Machine.ReadDevice32(s_registers + (uint)register);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(LocalApicRegister register, uint value)
    {
        if (s_isX2Mode)
        {
            Machine.WriteMsr(FirstMsr + ((uint)register >> 4), value);
        }
        else
        {
            Machine.WriteDevice32(s_registers + (uint)register, value);
        }
    }

    /// <summary>Sends an interrupt command; what this CPU has written before is seen by whoever it reaches.</summary>
    public static void Command(uint apicId, uint command)
    {
        if (s_isX2Mode)
        {
            // The write of this register waits for nothing (SDM Vol. 3A §11.12.3).
            Machine.Fence();
            Machine.WriteMsr(FirstMsr + ((uint)LocalApicRegister.CommandLow >> 4), ((ulong)apicId << 32) | command);
            return;
        }

        Interlocked.MemoryBarrier();
        for (int turn = 0; turn < CommandPatience; turn++)
        {
            if ((Read(LocalApicRegister.CommandLow) & DeliveryPending) == 0)
            {
                break;
            }

            Machine.Pause();
        }

        Write(LocalApicRegister.CommandHigh, apicId << 24);
        Write(LocalApicRegister.CommandLow, command);
    }
}
