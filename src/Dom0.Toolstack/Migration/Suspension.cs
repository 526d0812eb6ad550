// SPDX-License-Identifier: MIT
//
// A guest suspends itself: the tools write "suspend" to control/shutdown, the guest answers by emptying the node, brings
// itself into a state that can be continued elsewhere, and stops with the reason "suspend". A guest that does not
// answer in time has its request withdrawn, in a transaction, so that it is either withdrawn or was answered.
// A guest that goes on where it stopped is told so by the result of its call, 1; one that was restored sees 0.
using System;
using System.Diagnostics;
using System.Threading;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Brings a guest to a halt from which it can go on.</summary>
public sealed class Suspension
{
    private const int PollMilliseconds = 5;
    private const ulong CancelledResult = 1;

    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _store;
    private readonly DomainReference _domain;
    private readonly DomId _id;
    private readonly string _node;

    /// <summary>For one domain.</summary>
    public Suspension(Hypervisor hypervisor, StoreClient store, DomainReference domain)
    {
        _hypervisor = hypervisor;
        _store = store;
        _domain = domain;
        _id = new DomId((ushort)domain.Id);
        _node = $"{StoreEntries.DomainPath(domain.Id)}/control/shutdown";
    }

    /// <summary>Returns when the guest has suspended itself; on any failure it runs as before.</summary>
    public void Suspend(TimeSpan limit, CancellationToken cancellation)
    {
        DomainInfo info = Info();
        if (info is { IsShutdown: true, Reason: ShutdownReason.Suspend })
        {
            return;
        }

        if (info.IsShutdown || info.IsDying)
        {
            throw new ToolstackException($"the domain '{_domain.Name}' has stopped ({info.StateWord}) and has no state "
                + "that could go on");
        }

        if (info.IsPaused)
        {
            throw new ToolstackException($"the domain '{_domain.Name}' is paused and cannot suspend itself",
                $"Let it run first: xm unpause {_domain.Name}");
        }

        _store.Write(_node, "suspend");
        try
        {
            WaitForAnswer(limit, cancellation);
        }
        catch
        {
            if (TryWithdraw())
            {
                throw;
            }

            // It had answered at the last moment, and will suspend itself whatever becomes of this command.
        }

        try
        {
            WaitForStop(limit, cancellation);
            if (Info().Reason != ShutdownReason.Suspend)
            {
                throw new ToolstackException(
                    $"'{_domain.Name}' was asked to suspend itself and stopped for another reason ({Info().Reason})");
            }
        }
        catch
        {
            BringBack(limit);
            throw;
        }
    }

    /// <summary>Lets a guest that has suspended itself run on where it stopped.</summary>
    public void Resume()
    {
        byte[] registers = _hypervisor.States.GetVcpu(_id, 0);
        SavedRegisters.SetResult(registers, CancelledResult);
        _hypervisor.States.SetVcpu(_id, 0, registers);
        _hypervisor.States.Resume(_id);
        try
        {
            _store.Resume(_domain.Id);
        }
        catch (ToolstackException)
        {
            // The guest runs, whatever the daemon heard of it.
        }
    }

    /// <summary>Takes the request back; false when the guest has answered it, or there is none.</summary>
    public bool TryWithdraw()
    {
        bool isWithdrawn = false;
        try
        {
            _store.InTransaction(transaction =>
            {
                isWithdrawn = _store.TryRead(_node, transaction) is "suspend";
                if (isWithdrawn)
                {
                    _store.Write(_node, "", transaction);
                }
            });
            return isWithdrawn;
        }
        catch (ToolstackException)
        {
            // Then the guest may still answer.
            return false;
        }
    }

    /// <summary>Lets a guest go on that suspends itself in spite of all; failures are not reported.</summary>
    private void BringBack(TimeSpan limit)
    {
        try
        {
            WaitForStop(limit, CancellationToken.None);
            if (Info().Reason == ShutdownReason.Suspend)
            {
                Resume();
            }
        }
        catch (ToolstackException)
        {
            // What led here is the failure to report.
        }
    }

    private void WaitForStop(TimeSpan limit, CancellationToken cancellation) =>
        Wait(limit, () => Info().IsShutdown, cancellation,
            $"'{_domain.Name}' began to suspend itself and did not finish within {limit.TotalSeconds:0} s");

    private void WaitForAnswer(TimeSpan limit, CancellationToken cancellation) =>
        Wait(limit, () => _store.TryRead(_node) is not "suspend" || Info().IsShutdown, cancellation,
            $"'{_domain.Name}' did not answer the request to suspend itself within {limit.TotalSeconds:0} s");

    private DomainInfo Info() => _hypervisor.Domains.TryGetInfo(_domain.Id)
        ?? throw new ToolstackException($"the domain '{_domain.Name}' does not exist any more");

    private static void Wait(TimeSpan limit, Func<bool> isDone, CancellationToken cancellation, string failure)
    {
        long start = Stopwatch.GetTimestamp();
        while (!isDone())
        {
            cancellation.ThrowIfCancellationRequested();
            if (Stopwatch.GetElapsedTime(start) > limit)
            {
                throw new ToolstackException(failure,
                    "It goes on running. See whether its kernel is up and can suspend itself (its console, or "
                    + "control/feature-suspend in the store)");
            }

            Thread.Sleep(PollMilliseconds);
        }
    }
}
