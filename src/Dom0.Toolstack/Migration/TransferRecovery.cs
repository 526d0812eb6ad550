// SPDX-License-Identifier: MIT
//
// A command that saves or restores a domain may be killed at any point. Then a guest that it had suspended goes on where
// it was, a domain that it had half built goes, and so does the draft of its file. A guest that was asked and has not
// stopped yet may do so any moment, and is waited for.
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Brings to an end what killed commands left.</summary>
public sealed class TransferRecovery
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _store;
    private readonly TimeProvider _clock;
    private readonly Action<string> _log;
    private readonly string _folder;
    private readonly Dictionary<Guid, long> _since = [];

    /// <summary>Looks for commands that are noted in <paramref name="folder"/>.</summary>
    public TransferRecovery(Hypervisor hypervisor, StoreClient store, TimeProvider clock, Action<string> log,
        string folder = TransferClaim.Folder)
    {
        _hypervisor = hypervisor;
        _store = store;
        _clock = clock;
        _log = log;
        _folder = folder;
    }

    /// <summary>
    /// Does what is due; to be called again and again. A restored domain that is <paramref name="kept"/> already was
    /// finished; one that is <paramref name="left"/> to somebody else is not touched.
    /// </summary>
    public void Check(Func<Guid, bool> kept, Func<Guid, bool>? left = null)
    {
        foreach ((TransferClaim claim, AbandonedTransfer transfer) in TransferClaim.Abandoned(_folder))
        {
            bool isDone = false;
            try
            {
                isDone = left?.Invoke(transfer.Uuid) != true && Finish(transfer, kept);
            }
            catch (ToolstackException failure)
            {
                _log($"'{transfer.Name}', whose command was killed: {failure.Message}");
            }
            finally
            {
                End(claim, transfer, isDone);
            }
        }
    }

    private bool Finish(AbandonedTransfer transfer, Func<Guid, bool> kept) =>
        transfer.IsSave ? TryBringBack(transfer) : TakeAway(transfer, kept);

    private void End(TransferClaim claim, AbandonedTransfer transfer, bool isDone)
    {
        if (isDone)
        {
            _ = _since.Remove(transfer.Uuid);
            claim.Dispose();
        }
        else
        {
            claim.Keep();
        }
    }

    private bool TryBringBack(AbandonedTransfer transfer)
    {
        if (transfer.Draft.EndsWith(DomainSaver.DraftSuffix, StringComparison.Ordinal))
        {
            FileFailures.TryDelete(transfer.Draft);
        }

        if (Find(transfer.Uuid) is not { } info)
        {
            return true;
        }

        Suspension suspension = new(_hypervisor, _store, new DomainReference(info.Id, transfer.Name));
        if (info.IsShutdown)
        {
            if (info.Reason == ShutdownReason.Suspend)
            {
                suspension.Resume();
                _log($"'{transfer.Name}' was being saved when the command was killed: it runs on");
            }

            return true;
        }

        // Asked and withdrawn in time; answered and about to stop; or never asked, which looks the same.
        return suspension.TryWithdraw() || HasWaited(transfer.Uuid);
    }

    private bool TakeAway(AbandonedTransfer transfer, Func<Guid, bool> kept)
    {
        if (!kept(transfer.Uuid) && Find(transfer.Uuid) is { } info)
        {
            DomainDestroyer.Destroy(_hypervisor, _store, new DomainReference(info.Id, transfer.Name), _log);
            _log($"'{transfer.Name}' was being restored when the command was killed: what there was of it is gone");
        }

        return true;
    }

    private bool HasWaited(Guid uuid)
    {
        if (!_since.TryGetValue(uuid, out long since))
        {
            _since[uuid] = since = _clock.GetTimestamp();
        }

        return _clock.GetElapsedTime(since) >= s_limit;
    }

    private DomainInfo? Find(Guid uuid) =>
        _hypervisor.System.ListDomains().FirstOrDefault(info => info.Uuid == uuid && info.Id != 0 && !info.IsDying);
}
