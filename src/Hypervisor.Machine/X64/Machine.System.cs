// SPDX-License-Identifier: MIT
// Services of the composition root (Hypervisor.X64) that the layers below it call by symbol.

using System;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Hypervisor;

public static unsafe partial class Machine
{
    private static uint s_logThreshold;
    private static uint s_onlineCpus;
    private static bool s_isEnding;

    /// <summary>Log lines above this level are dropped.</summary>
    public static LogLevel LogThreshold
    {
        get => (LogLevel)s_logThreshold;
        set => s_logThreshold = (uint)value;
    }

    /// <summary>Appends to the console ring and writes to every console.</summary>
    public static void ConsoleWrite(ReadOnlySpan<byte> text)
    {
        fixed (byte* first = text)
        {
            WriteConsole(first, text.Length);
        }
    }

    public static void Panic(ReadOnlySpan<byte> reason)
    {
        fixed (byte* first = reason)
        {
            PanicNow(first, reason.Length);
        }
    }

    /// <summary>Restarts the machine. Does not come back.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_reboot")]
    public static extern void Reboot();

    /// <summary>After something without which the machine cannot go on: it stands still, or restarts after five seconds,
    /// as the command line says. Does not come back.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_end_after_failure")]
    public static extern void EndAfterFailure();

    /// <summary>Switches the machine off, or stops it where that cannot be done. Does not come back.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_power_off")]
    public static extern void PowerOff();

    /// <summary>Address of the running CPU's block, whose parts <see cref="MemoryLayout"/> names.</summary>
    public static ulong PerCpuBlock
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (ulong)GetCpuInfo() - MemoryLayout.PerCpuInfo;
    }

    /// <summary>The level-1 entries that map the running CPU's block.</summary>
    public static ulong* PerCpuTable => (ulong*)GetCpuInfo()->BlockTable;

    /// <summary>Loads the LDT register with a table at <paramref name="address"/> of <paramref name="entries"/> descriptors.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_set_ldt")]
    public static extern void SetLocalDescriptorTable(ulong address, uint entries);

    /// <summary>One turn of a waiting loop: serves requests of other CPUs, then pauses.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_spin_wait")]
    public static extern void SpinWait();

    /// <summary>Asks <paramref name="cpu"/> to look at its soft interrupts.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_kick")]
    public static extern void Kick(uint cpu);

    /// <summary>Sends <paramref name="cpu"/>, which may be the running one, an NMI; it is counted.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_send_nmi")]
    public static extern void SendNmi(uint cpu);

    /// <summary>Interrupts <paramref name="cpu"/> so that it looks whether a flush is wanted of it.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_request_flush")]
    public static extern void RequestFlush(uint cpu);

    /// <summary>As <see cref="Panic(ReadOnlySpan{byte})"/>, about what <paramref name="frame"/> was interrupted in.</summary>
    public static void Panic(ReadOnlySpan<byte> reason, Xen.Abi.CpuUserRegs* frame)
    {
        fixed (byte* first = reason)
        {
            PanicAt(first, reason.Length, frame);
        }
    }

    /// <summary>The machine is being stopped or restarted: a CPU that takes an NMI halts for good.</summary>
    public static bool IsEnding
    {
        get => s_isEnding;
        set => s_isEnding = value;
    }

    /// <summary>Number of CPUs that run; they are numbered from 0.</summary>
    public static uint OnlineCpus
    {
        get => s_onlineCpus;
        set => s_onlineCpus = value;
    }

    /// <summary>Arms this CPU's one-shot timer for the given TSC value; 0 disarms, a past value fires at once.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_arm_timer")]
    public static extern void ArmTimer(ulong tsc);

    /// <summary>Calls a runtime service of EFI with five arguments; returns its status.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_call_firmware")]
    public static extern ulong CallFirmware(ulong function, ulong* arguments);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "console_write")]
    private static extern void WriteConsole(byte* text, int length);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_panic")]
    private static extern void PanicNow(byte* text, int length);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "machine_panic_at")]
    private static extern void PanicAt(byte* text, int length, Xen.Abi.CpuUserRegs* frame);
}
