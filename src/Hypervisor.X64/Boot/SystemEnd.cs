// SPDX-License-Identifier: MIT

using System;
using System.Runtime;
using System.Threading;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Traps;
using Hypervisor.X64.Apic;
using Hypervisor.X64.Console;
using Hypervisor.X64.Timers;
using Xen.Abi;

namespace Hypervisor.X64.Boot;

/// <summary>Power off, reboot, panic.</summary>
public static unsafe class SystemEnd
{
    private const ulong FiveSeconds = 5_000_000;

    /// <summary>Turns to wait for the other CPUs to stop; one that does not take NMIs is not waited for.</summary>
    private const ulong Patience = 10_000_000;

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

    /// <summary>What cannot go on stands still, or restarts, as the command line says.</summary>
    [RuntimeExport("machine_end_after_failure")]
    public static void EndAfterFailure()
    {
        StopOthers();
        HaltOrReboot(BootData.Options->NoReboot);
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
        Begin(new ReadOnlySpan<byte>(reason, length));
        CallChain.Print(CallChain.CurrentFrame());
        Finish();
    }

    /// <summary>As <see cref="Panic"/>, with the registers and the call chain of what was interrupted.</summary>
    [RuntimeExport("machine_panic_at")]
    public static void PanicAt(byte* reason, int length, CpuUserRegs* frame)
    {
        ulong faultAddress = Machine.ReadCr2();
        Begin(new ReadOnlySpan<byte>(reason, length));
        PanicReport.Print(frame, faultAddress);
        Finish();
    }

    private static void Begin(ReadOnlySpan<byte> reason)
    {
        // One CPU tells what happened; another that panics meanwhile, or the same one again, stands still.
        if (Interlocked.Exchange(ref s_isPanicking, 1) != 0)
        {
            Machine.HaltForever();
        }

        StopOthers();
        Consoles.BreakLock();
        Log.Error("****************************************"u8).End();
        Log.Error("Panic on CPU "u8).Decimal(Machine.Cpu->CpuId).Text(": "u8).Text(reason).End();
    }

    private static void Finish()
    {
        Trace.Print();
        Log.Error("****************************************"u8).End();
        HaltOrReboot(BootData.Options->NoReboot);
    }

    /// <summary>Every other CPU halts, whatever it is doing, so that nobody else prints or writes meanwhile.</summary>
    private static void StopOthers()
    {
        Machine.IsEnding = true;
        if (Machine.OnlineCpus > 1)
        {
            LocalApic.SendNmiToOthers();
            for (ulong turn = 0; turn < Patience && Nmis.HaltedCpus + 1 < Machine.OnlineCpus; turn++)
            {
                Machine.Pause();
            }
        }
    }
}
