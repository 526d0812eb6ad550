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

    public static void PowerOff() => throw new HypervisorPanicException("Switched off");

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

    public static void FlushOthers()
    {
        if (OnlineCpus > 1)
        {
            FakeMachine.Current.RemoteFlushes++;
        }
    }

    public static void FlushOthersOlderThan(uint stamp)
    {
        if (OnlineCpus > 1)
        {
            FakeMachine.Current.RemoteFlushes++;
            FakeMachine.Current.RemoteFlushStamps.Add(stamp);
        }
    }

    public static void ArmTimer(ulong tsc)
    {
        FakeMachine.Cpu.ArmedTimer = tsc;
        FakeMachine.Cpu.TimerArmings++;
    }
}
