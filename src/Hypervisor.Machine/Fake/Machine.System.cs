// SPDX-License-Identifier: MIT

using System;
using System.Text;

namespace Hypervisor;

public static unsafe partial class Machine
{
    [ThreadStatic]
    private static int s_spins;

    public static LogLevel LogThreshold
    {
        get => FakeMachine.Current.LogThreshold;
        set => FakeMachine.Current.LogThreshold = value;
    }

    public static uint OnlineCpus
    {
        get => FakeMachine.Current.OnlineCpus;
        set => FakeMachine.Current.OnlineCpus = value;
    }

    public static void ConsoleWrite(ReadOnlySpan<byte> text) => FakeMachine.Current.Print(text);

    public static void Panic(ReadOnlySpan<byte> reason) =>
        throw new HypervisorPanicException(Encoding.Latin1.GetString(reason));

    public static void Reboot() => throw new HypervisorPanicException("Restarted");

    public static void EndAfterFailure() => throw new HypervisorPanicException("Ended");

    public static void PowerOff() => throw new HypervisorPanicException("Switched off");

    public static ulong CallFirmware(ulong function, ulong* arguments) =>
        FakeMachine.Current.OnFirmwareCall(function, (nint)arguments);

    public static ulong PerCpuBlock => (ulong)Cpu - MemoryLayout.PerCpuInfo;

    public static ulong* PerCpuTable => (ulong*)Cpu->BlockTable;

    public static void SetLocalDescriptorTable(ulong address, uint entries) =>
        FakeMachine.Cpu.LocalDescriptorTable = (address, entries);

    public static void SpinWait()
    {
        Action others = FakeMachine.Current.OnSpinWait;
        if (others != null)
        {
            others();
        }
        else
        {
            System.Threading.Thread.SpinWait(20);
        }

        if (++s_spins > FakeMachine.SpinLimit)
        {
            s_spins = 0;
            throw new HypervisorPanicException("Waited too long");
        }
    }

    public static void Kick(uint cpu)
    {
        FakeMachine.Current.CpuOf(cpu).Kicks++;
        FakeMachine.Current.OnKick?.Invoke(cpu);
    }

    public static void SendNmi(uint cpu) => FakeMachine.Current.Nmis.Add(cpu);

    public static void RequestFlush(uint cpu)
    {
        FakeMachine machine = FakeMachine.Current;
        machine.RemoteFlushes++;
        if (machine.OnFlushRequest != null)
        {
            machine.OnFlushRequest(cpu);
            return;
        }

        // It flushes at once: later than whatever this CPU has seen.
        CpuInfo* other = machine.CpuOf(cpu).Info;
        other->FlushWanted = 0;
        other->FlushStamp = Cpu->FlushStamp + FakeMachine.MuchLater;
    }

    public static void Panic(ReadOnlySpan<byte> reason, Xen.Abi.CpuUserRegs* frame) => Panic(reason);

    public static bool IsEnding
    {
        get => FakeMachine.Current.IsEnding;
        set => FakeMachine.Current.IsEnding = value;
    }

    public static void ArmTimer(ulong tsc)
    {
        FakeMachine.Cpu.ArmedTimer = tsc;
        FakeMachine.Cpu.TimerArmings++;
    }
}
