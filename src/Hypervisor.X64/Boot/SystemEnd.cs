// SPDX-License-Identifier: MIT

using System;
using System.Runtime;
using System.Threading;
using Hypervisor.Core.Acpi;
using Hypervisor.X64.Apic;
using Hypervisor.X64.Console;
using Hypervisor.X64.Timers;

namespace Hypervisor.X64.Boot;

/// <summary>Power off, reboot, panic.</summary>
public static unsafe class SystemEnd
{
    private const ulong FiveSeconds = 5_000_000;

    private static int s_isPanicking;

    [RuntimeExport("machine_reboot")]
    public static void Reboot()
    {
        Log.Info("rebooting"u8).End();
        StopOthers();
        AcpiSleep.TryReset();

        // The chipset's reset register, then the keyboard controller, then a triple fault of our own making.
        Machine.Out8(0xCF9, 0x06);
        Machine.Out8(0x64, 0xFE);
        Machine.HaltForever();
    }

    /// <summary>After a domain that could have done it by ACPI did not.</summary>
    [RuntimeExport("machine_power_off")]
    public static void PowerOff()
    {
        Log.Info("Domain-0 has shut down; the machine can be switched off"u8).End();
        StopOthers();
        Machine.HaltForever();
    }

    public static void HaltOrReboot(bool noReboot)
    {
        // What ends before the clock is known learns it now, to be able to wait.
        if (noReboot || (Tsc.Hertz == 0 && !Tsc.TryCalibrate(AcpiTables.Current)))
        {
            Log.Error("halted"u8).End();
            Machine.HaltForever();
        }

        Log.Error("rebooting in five seconds (option noreboot prevents it)"u8).End();
        Tsc.Wait(FiveSeconds);
        Reboot();
    }

    /// <summary>The reason, the call chain, and the end.</summary>
    [RuntimeExport("machine_panic")]
    public static void Panic(byte* reason, int length)
    {
        // One CPU tells what happened; another that panics meanwhile, or the same one again, stands still.
        if (Interlocked.Exchange(ref s_isPanicking, 1) != 0)
        {
            Machine.HaltForever();
        }

        StopOthers();
        Consoles.BreakLock();
        Log.Error("****************************************"u8).End();
        Log.Error("Panic on CPU "u8).Decimal(Machine.Cpu->CpuId).Text(": "u8)
            .Text(new ReadOnlySpan<byte>(reason, length)).End();
        CallChain.Print(CallChain.CurrentFrame());
        Trace.Print();
        Log.Error("****************************************"u8).End();
        HaltOrReboot(BootData.Options->NoReboot);
    }

    /// <summary>Every other CPU halts, whatever it is doing.</summary>
    private static void StopOthers()
    {
        Machine.IsEnding = true;
        if (Machine.OnlineCpus > 1)
        {
            LocalApic.SendNmiToOthers();
        }
    }
}
