// SPDX-License-Identifier: MIT
using System;
using System.Threading;

namespace Dom0.Xend.Domains;

/// <summary>
/// The right to look at domains and to change them: one thread has it at a time, and gives it up while it waits for
/// something outside, so that no domain waits for another one's devices. Where there is only one thread nobody needs it.
/// </summary>
internal sealed class Turn
{
    private readonly object _lock = new();

    /// <summary>Does something with the right, which the thread must not have already.</summary>
    public T Take<T>(Func<T> work)
    {
        lock (_lock)
        {
            return work();
        }
    }

    /// <summary>
    /// Does something that takes its time while others have their turns. The domain that it is about must be held
    /// (<see cref="DomainManager"/>); everything else may have changed afterwards.
    /// </summary>
    public T GiveUpFor<T>(Func<T> work)
    {
        if (!Monitor.IsEntered(_lock))
        {
            return work();
        }

        Monitor.Exit(_lock);
        try
        {
            return work();
        }
        finally
        {
            Monitor.Enter(_lock);
        }
    }

    /// <summary>Gives the right up until another thread says <see cref="Changed"/>.</summary>
    public void AwaitChange() => _ = Monitor.Wait(_lock);

    /// <summary>Lets those look again who wait for a change.</summary>
    public void Changed()
    {
        if (Monitor.IsEntered(_lock))
        {
            Monitor.PulseAll(_lock);
        }
    }
}
