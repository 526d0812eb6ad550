// SPDX-License-Identifier: MIT
// Locking: the hypervisor runs with interrupts disabled but for its preemption points and the idle loop, so one kind of
// lock serves everywhere. Whoever waits serves requests of other CPUs meanwhile (Machine.SpinWait), because the
// holder may itself wait for this CPU's answer to a TLB flush.

using System.Runtime.CompilerServices;
using System.Threading;

namespace Hypervisor;

/// <summary>A ticket lock: first come, first served, but for who takes it out of turn.</summary>
public struct SpinLock
{
    private int _next;
    private uint _serving;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Acquire()
    {
        uint ticket = (uint)(Interlocked.Add(ref _next, 1) - 1);
        if (Volatile.Read(ref _serving) != ticket)
        {
            Wait(ticket);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Release() => Volatile.Write(ref _serving, _serving + 1);

    public bool TryAcquire()
    {
        uint serving = Volatile.Read(ref _serving);
        return Interlocked.CompareExchange(ref _next, (int)(serving + 1), (int)serving) == (int)serving;
    }

    /// <summary>Takes the lock as soon as it is found free, out of turn. For short sections that many CPUs enter at the same
    /// moment: on a host that has fewer CPUs than this machine, everybody would wait until the next in line is given time.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AcquireOutOfTurn()
    {
        if (!TryAcquire())
        {
            WaitUntilFree();
        }
    }

    public bool IsHeld => (uint)Volatile.Read(ref _next) != Volatile.Read(ref _serving);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void WaitUntilFree()
    {
        do
        {
            Machine.SpinWait();
        }
        while (IsHeld || !TryAcquire());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Wait(uint ticket)
    {
        do
        {
            Machine.SpinWait();
        }
        while (Volatile.Read(ref _serving) != ticket);
    }
}
