// SPDX-License-Identifier: MIT
// Questions to other CPUs: the soft interrupt Question, answered on the way back to a guest with no lock held.
//
// Registers: each CPU prints its own and passes the question on, so that the lines of one CPU stay together and nobody
// waits. The clock: the asker waits, but not for long, and serves what others want of it meanwhile.
//
// Who may ask: one CPU at a time. Locking: s_isAsking, taken by exchange; nothing is taken inside.

using System.Threading;
using Hypervisor.Core.Scheduling;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Asks other CPUs, and answers them.</summary>
public static unsafe class CpuQuestions
{
    private const long NoCpu = -1;

    /// <summary>Ticks that an answer may take: some milliseconds.</summary>
    private const ulong Patience = 1 << 25;

    private static int s_isAsking;

    /// <summary>The CPU whose registers are wanted next, and the one whose clock is.</summary>
    private static long s_registersOf = NoCpu;
    private static long s_clockOf = NoCpu;
    private static uint s_asker;
    private static Clocks s_clocks;

    /// <summary>Lets each CPU print its registers, one after the other. This CPU begins at once.</summary>
    public static void PrintAllRegisters()
    {
        s_asker = Machine.Cpu->CpuId;
        ProcessorDump.PrintThisCpu();
        Pass(0);
    }

    /// <summary>The soft interrupt: somebody wants something of this CPU.</summary>
    public static void Answer()
    {
        uint self = Machine.Cpu->CpuId;
        Standstill.Answer();
        if (Interlocked.CompareExchange(ref s_clockOf, NoCpu, self) == self)
        {
            Volatile.Write(ref s_clocks.Readings[self], Machine.ReadTsc());
        }

        if (Interlocked.CompareExchange(ref s_registersOf, NoCpu, self) == self)
        {
            ProcessorDump.PrintThisCpu();
            Pass(self + 1);
        }
    }

    /// <summary>Another CPU's time stamp counter, between two readings of this one's; false: no answer in
    /// time.</summary>
    internal static bool TryReadTsc(uint cpu, out ulong before, out ulong theirs, out ulong after)
    {
        before = after = theirs = 0;
        if (Interlocked.CompareExchange(ref s_isAsking, 1, 0) != 0)
        {
            return false;
        }

        Volatile.Write(ref s_clocks.Readings[cpu], 0);
        _ = Interlocked.Exchange(ref s_clockOf, cpu);
        before = Machine.ReadTsc();
        SoftIrqs.RaiseOn(cpu, SoftIrq.Question);
        do
        {
            Machine.SpinWait();
            theirs = Volatile.Read(ref s_clocks.Readings[cpu]);
            after = Machine.ReadTsc();
        }
        while (theirs == 0 && after - before < Patience);

        _ = Interlocked.Exchange(ref s_clockOf, NoCpu);
        Volatile.Write(ref s_isAsking, 0);
        return theirs != 0;
    }

    /// <summary>The question goes to the CPU, or beyond the one that asked; it ends behind the last.</summary>
    private static void Pass(uint next)
    {
        next = next == s_asker ? next + 1 : next;
        if (next < Machine.OnlineCpus)
        {
            _ = Interlocked.Exchange(ref s_registersOf, next);
            SoftIrqs.RaiseOn(next, SoftIrq.Question);
        }
    }

    /// <summary>One place for each CPU: a late answer does not pass for another's.</summary>
    private struct Clocks
    {
        public fixed ulong Readings[MemoryLayout.MaxCpus];
    }
}
