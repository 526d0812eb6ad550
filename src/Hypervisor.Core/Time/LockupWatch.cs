// SPDX-License-Identifier: MIT
// Option watchdog: finds a CPU that has not come to its timers for five seconds, says where it is, and ends the machine.
//
// Each CPU beats once a second, by a timer like any other: a CPU whose interrupts stay off, or that never leaves one piece
// of work, misses its beats. Who looks:
//
//   performance counter   an NMI of the CPU's own, twice a second while it is not halted, counts the looks without a beat
//   neighbour             where a processor has no such counter, CPU n looks at CPU n + 1 with each beat of its own, and
//                         sends it an NMI when it has missed five; if that is not taken either, the neighbour speaks
//
// A CPU that waits for another one (for a lock, for a flush) does not come to its timers either. It goes on looking, and for
// five seconds it beats for itself, so that the one that all wait for is accused first, and two that wait for each other in
// the end.
//
// A look counts only if the one who looks was running, so a machine that stood still as a whole accuses nobody.
//
// Locking: none. A CPU's record is written by the CPU and, in Seen, by its neighbour; NMIs read.

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Hypervisor.Core.Time;

/// <summary>What one who looks has seen of another's beats.</summary>
public struct BeatWatch
{
    private uint _beats;
    private uint _looks;
    private ulong _since;

    /// <summary>One look; true when nothing has moved for <see cref="LockupWatch.LooksUntilLockup"/> of them and longer
    /// than <see cref="LockupWatch.Limit"/>.</summary>
    public bool IsStuck(uint beats, ulong now)
    {
        if (beats != _beats || _since == 0)
        {
            _beats = beats;
            _looks = 0;
            _since = now;
            return false;
        }

        _looks++;
        return _looks >= LockupWatch.LooksUntilLockup && now - _since >= LockupWatch.Limit;
    }
}

/// <summary>A CPU under watch: what <see cref="CpuInfo.Watch"/> points at.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct WatchedCpu
{
    public Timer Beat;
    public uint Beats;

    /// <summary>The neighbour that wants to know has sent an NMI.</summary>
    public int IsAccused;

    /// <summary>Beats since the last one by the timer, all made while waiting; time of the next.</summary>
    public uint BeatsInWait;
    public ulong NextInWait;

    /// <summary>What this CPU's own NMI has seen of it, and what this CPU has seen of the next one.</summary>
    public BeatWatch Own;
    public BeatWatch Next;
}

/// <summary>Looks after CPUs.</summary>
public static unsafe class LockupWatch
{
    public const ulong Period = SystemTime.Second;
    public const ulong Limit = 5 * SystemTime.Second;
    public const uint LooksUntilLockup = 5;

    /// <summary>Looks by a CPU's own NMI in a second of cycles.</summary>
    private const ulong LooksASecond = 2;

    private static CounterKind s_counter;

    /// <summary>Where NMIs of the CPUs' own come from.</summary>
    public static CounterKind Counter => s_counter;

    /// <summary>Chooses, on the first CPU, before any is put under watch.</summary>
    public static void Choose(CounterKind kind) => s_counter = CycleCounter.IsThere(kind) ? kind : CounterKind.None;

    /// <summary>Puts the running CPU, which has a timer queue, under watch. <paramref name="watched"/> is zeroed.</summary>
    /// <returns>False where its counter does not count as the first CPU's does.</returns>
    public static bool TryStartHere(CpuInfo* cpu, WatchedCpu* watched)
    {
        TimerQueue.Prepare(&watched->Beat, TimerKind.Heartbeat, cpu, (TimerQueue*)cpu->TimerQueue);
        cpu->Watch = watched;
        TimerQueue.Set(&watched->Beat, SystemTime.Now() + Period);
        return s_counter == CounterKind.None || CycleCounter.TryStart(s_counter, CyclesOfLook);
    }

    /// <summary>The heartbeat of the running CPU.</summary>
    internal static void OnBeat(CpuInfo* cpu, ulong now)
    {
        WatchedCpu* watched = (WatchedCpu*)cpu->Watch;
        watched->BeatsInWait = 0;
        watched->NextInWait = now + Period;
        TimerQueue.Set(&watched->Beat, now + Period);
        Beat(watched);
        LookAtNext(cpu, watched, now);
    }

    /// <summary>One turn of a waiting loop on the running CPU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void OnWait(CpuInfo* cpu)
    {
        if (cpu->Watch != null)
        {
            OnWaitUnderWatch(cpu, (WatchedCpu*)cpu->Watch);
        }
    }

    /// <summary>The machine stands still for good reason: CPUs that wait may go on doing so.</summary>
    internal static void Excuse()
    {
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            WatchedCpu* watched = (WatchedCpu*)Machine.CpuOf(cpu)->Watch;
            if (watched != null)
            {
                Volatile.Write(ref watched->BeatsInWait, 0);
            }
        }
    }

    /// <summary>An NMI has struck the running CPU. True when it belongs to the watch; <paramref name="isLockedUp"/>: the end
    /// has come.</summary>
    public static bool OnNmi(CpuInfo* cpu, out bool isLockedUp)
    {
        isLockedUp = false;
        WatchedCpu* watched = (WatchedCpu*)cpu->Watch;
        if (watched == null)
        {
            return false;
        }

        if (Volatile.Read(ref watched->IsAccused) != 0)
        {
            isLockedUp = true;
            return true;
        }

        if (!CycleCounter.TryRestart(s_counter, CyclesOfLook))
        {
            return false;
        }

        isLockedUp = watched->Own.IsStuck(watched->Beats, SystemTime.Now());
        return true;
    }

    private static ulong CyclesOfLook => SystemTime.TscHz / LooksASecond;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OnWaitUnderWatch(CpuInfo* cpu, WatchedCpu* watched)
    {
        ulong now = SystemTime.Now();
        if (now < watched->NextInWait)
        {
            return;
        }

        watched->NextInWait = now + Period;
        if (watched->BeatsInWait < LooksUntilLockup)
        {
            watched->BeatsInWait++;
            Beat(watched);
        }

        LookAtNext(cpu, watched, now);
    }

    private static void Beat(WatchedCpu* watched)
    {
        watched->Beats++;
        Volatile.Write(ref watched->IsAccused, 0);
    }

    private static void LookAtNext(CpuInfo* cpu, WatchedCpu* watched, ulong now)
    {
        uint next = cpu->CpuId + 1 < Machine.OnlineCpus ? cpu->CpuId + 1 : 0;
        if (s_counter == CounterKind.None && next != cpu->CpuId)
        {
            LookAt(watched, next, now);
        }
    }

    private static void LookAt(WatchedCpu* watched, uint number, ulong now)
    {
        WatchedCpu* next = (WatchedCpu*)Machine.CpuOf(number)->Watch;
        if (next == null || !watched->Next.IsStuck(Volatile.Read(ref next->Beats), now))
        {
            return;
        }

        if (Interlocked.Exchange(ref next->IsAccused, 1) == 0)
        {
            Machine.SendNmi(number);
            return;
        }

        // A second later it has not answered: its NMIs are blocked.
        Log.Error("watchdog: CPU "u8).Decimal(number).Text(" is locked up and takes no NMI"u8).End();
        Panic.Because("a CPU is locked up"u8);
    }
}
