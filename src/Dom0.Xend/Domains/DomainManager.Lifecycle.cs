// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Xen.Abi;

namespace Dom0.Xend.Domains;

/// <summary>What happens when domains stop, and when the daemon starts.</summary>
internal sealed partial class DomainManager
{
    private const int EndsKept = 64;

    /// <summary>
    /// Goes on where an earlier daemon stopped: half-built domains go, consoles are served again, and what was under way
    /// is brought to its end.
    /// </summary>
    public void Recover()
    {
        foreach (DomainRecord record in Running.All)
        {
            Guarded(record, () =>
            {
                if (record.Phase is DomainPhase.Starting or DomainPhase.Running or DomainPhase.Preserved)
                {
                    ForgetState(record.Uuid);
                }

                switch (record.Phase)
                {
                    case DomainPhase.Building:
                        _services.Log($"'{record.Name}' was half built when xend ended: it is destroyed");
                        Running.Save(record with { Phase = DomainPhase.Destroying });
                        break;
                    case DomainPhase.Starting or DomainPhase.Running or DomainPhase.Preserved or DomainPhase.Renaming
                        or DomainPhase.Suspending
                        when record.Domid is { } domid && InfoOf(domid) is { IsDying: false } info
                            && (info.Uuid == record.Uuid || info.Uuid == record.FormerUuid)
                            && !IsBeingRenamed(record):
                        OpenConsole(record);
                        break;
                }
            });
        }

        Check();
    }

    /// <summary>Looks at every domain and does what is due.</summary>
    public void Check()
    {
        foreach (DomainRecord record in Running.All)
        {
            // What was done for one domain may have changed another's record.
            if (ReferenceEquals(Running.Find(record.Uuid), record) && !_held.Contains(record.Uuid))
            {
                Guarded(record, () => CheckOne(record));
            }
        }

        // What the daemon itself was saving is brought to its end by its record, which knows the whole file.
        _transfers.Check(IsOurs, uuid => Running.Find(uuid) is { Phase: DomainPhase.Suspending });
        _foreign.Update(Hypervisor.System.ListDomains(), IsOurs, NameOf);
    }

    private void Guarded(DomainRecord record, Action action)
    {
        try
        {
            action();
        }
        catch (ToolstackException failure)
        {
            // One domain's trouble is not the others'; the next check tries again.
            _services.Log($"'{record.Name}': {failure.Message}");
        }
    }

    /// <summary>
    /// Does something about a domain that may take its time, while others are looked at; until it is done nobody else
    /// does anything about it.
    /// </summary>
    private void Begin(DomainRecord record, Action action)
    {
        _ = _held.Add(record.Uuid);
        _services.Begin(() =>
        {
            try
            {
                Guarded(record, action);
            }
            finally
            {
                _ = _held.Remove(record.Uuid);
                _services.Turn.Changed();
            }
        });
    }

    private void CheckOne(DomainRecord record)
    {
        switch (record.Phase)
        {
            case DomainPhase.Starting when record.Domid is { } domid && IsThere(domid, record.Uuid):
                ForgetState(record.Uuid);
                _ = LetRun(record);
                break;
            case DomainPhase.Starting or DomainPhase.Running:
                CheckRunning(record);
                break;
            case DomainPhase.Preserved when record.Domid is { } kept && !IsThere(kept, record.Uuid):
                Begin(record, () => Forget(record, "destroyed by somebody else"));
                break;
            case DomainPhase.Building or DomainPhase.Destroying:
                Begin(record, () => Finish(record, "destroyed", "destroy"));
                break;
            case DomainPhase.Suspending:
                Begin(record, () => CompleteSuspension(record));
                break;
            case DomainPhase.Restarting:
                Begin(record, () => StartOver(record));
                break;
            case DomainPhase.Renaming:
                Begin(record, () => CompleteRename(record));
                break;
        }
    }

    private void CheckRunning(DomainRecord record)
    {
        if (IsBeingRenamed(record))
        {
            // The record of the renaming has the rest.
            return;
        }

        if (record.Domid is not { } domid || InfoOf(domid) is not { } info || info.Uuid != record.Uuid)
        {
            Begin(record, () => Forget(record, "destroyed by somebody else"));
            return;
        }

        // Renamed by another tool, or by a daemon that was killed meanwhile.
        if (_services.Store.TryRead($"{StoreEntries.DomainPath(domid)}/name") is { } name && name != record.Name
            && DomainConfigCheck.IsName(name))
        {
            WriteName(domid, name);
            record = Adopt(record, name);
        }

        // Whoever had it suspend itself, to save it, lets it go on or destroys it.
        if (info is { IsShutdown: true, IsDying: false } && (_hostStops || info.Reason != ShutdownReason.Suspend))
        {
            DomainRecord stopped = record;
            Begin(stopped, () => Stopped(stopped, domid, info.Reason));
        }
    }

    /// <summary>Is there a record by which the domain of this one is given another identity?</summary>
    private bool IsBeingRenamed(DomainRecord record) => Running.All.Any(other => other.FormerUuid == record.Uuid);

    private void Stopped(DomainRecord record, int domid, ShutdownReason reason)
    {
        string word = reason.ToString().ToLowerInvariant();
        LifecycleAction action = _hostStops
            ? LifecycleAction.Destroy
            : LifecyclePolicy.ActionFor(record.Config, reason);
        bool restarts = action is LifecycleAction.Restart or LifecycleAction.CoredumpRestart
            or LifecycleAction.RenameRestart;
        if (restarts && !RestartLimit.Allows(record.Restarts, _services.Clock.GetUtcNow()))
        {
            _services.Log($"'{record.Name}' stopped ({word}) after {RestartLimit.Count} restarts within "
                + $"{RestartLimit.Window.TotalSeconds} seconds: it is destroyed instead of started over");
            action = LifecycleAction.Destroy;
        }

        string actionWord = StoreEntries.Text(action);
        _services.Log($"'{record.Name}', number {domid}, stopped ({word}): {actionWord}");
        Publish(reason == ShutdownReason.Crash ? "crashed" : "stopped", domid, record.Name, record.Uuid, word,
            actionWord);
        Remember(record.Uuid, new DomainEnd(word, actionWord, action is LifecycleAction.Destroy
            or LifecycleAction.CoredumpDestroy));
        if (action is LifecycleAction.CoredumpDestroy or LifecycleAction.CoredumpRestart)
        {
            DumpStopped(record, domid);
        }

        switch (action)
        {
            case LifecycleAction.Preserve:
                Running.Save(record with { Phase = DomainPhase.Preserved });
                _services.Consoles.Dismiss(domid, $"the domain has stopped ({word}) and is kept");
                break;
            case LifecycleAction.Restart or LifecycleAction.CoredumpRestart:
                record = record with
                {
                    Phase = DomainPhase.Restarting,
                    Restarts = RestartLimit.Add(record.Restarts, _services.Clock.GetUtcNow()),
                };
                Running.Save(record);
                StartOver(record);
                break;
            case LifecycleAction.RenameRestart:
                record = record with
                {
                    Uuid = Guid.NewGuid(),
                    Name = FreeName(record.Name),
                    Phase = DomainPhase.Renaming,
                    FormerUuid = record.Uuid,
                    IsManaged = false,
                    Restarts = RestartLimit.Add(record.Restarts, _services.Clock.GetUtcNow()),
                };
                Running.Save(record);
                CompleteRename(record);
                break;
            default:
                Running.Save(record with { Phase = DomainPhase.Destroying });
                Finish(record, $"stopped ({word})", actionWord, word);
                break;
        }
    }

    private void DumpStopped(DomainRecord record, int domid)
    {
        try
        {
            DumpResult dump = Dump(new DomainReference(domid, record.Name), DumpPath(record.Name), isLive: false);
            _services.Log($"dumped the memory of '{record.Name}' to {dump.File}: {dump.Pages} pages");
        }
        catch (ToolstackException failure)
        {
            // The memory is lost; the domain must not be, so what comes after the dump is done all the same.
            _services.Log($"cannot dump the memory of '{record.Name}': {failure.Message}");
        }
    }

    /// <summary>
    /// Takes the old domain away and builds the next. The record stays one that starts over until the domain is there, so
    /// that a daemon killed meanwhile builds it.
    /// </summary>
    private void StartOver(DomainRecord record)
    {
        if (record.Domid is { } old)
        {
            _services.Consoles.Close(old, "the domain has stopped and was destroyed; it starts again", comesAgain: true);
            Publish("restarting", old, record.Name, record.Uuid);
        }

        Dismantle(record);
        record = record with { Domid = null };
        try
        {
            _ = Build(record, paused: false);
        }
        catch (ToolstackException failure)
        {
            _services.Log($"'{record.Name}' cannot be started over: {failure.Message}");
            Publish("destroyed", -1, record.Name, record.Uuid, failure.Message, "destroy");
            _services.Consoles.GiveUp(record.Uuid, $"the domain cannot be started again: {failure.Message}");
        }
    }

    /// <summary>
    /// The old domain takes its new name and identity; only then is the former identity free, and another domain gets it.
    /// </summary>
    private void CompleteRename(DomainRecord record)
    {
        int domid = record.Domid ?? throw new ToolstackException($"the record of '{record.Name}' lacks its number");
        Guid former = record.FormerUuid
            ?? throw new ToolstackException($"the record of '{record.Name}' lacks its former identity");
        DomainRecord next = record with
        {
            Uuid = former,
            Name = record.Config.Name,
            Phase = DomainPhase.Restarting,
            FormerUuid = null,
            Domid = null,
            IsManaged = Defined.Find(former) is not null,
        };
        if (InfoOf(domid) is { } info && (info.Uuid == former || info.Uuid == record.Uuid))
        {
            // The next one gets the same disks and addresses.
            foreach (string complaint in _devices.RemoveAll(domid))
            {
                _services.Log(complaint);
            }

            Hypervisor.Domains.SetHandle(new DomId((ushort)domid), record.Uuid);
            string path = StoreEntries.DomainPath(domid);
            string vm = StoreEntries.VmPath(record.Uuid);
            _services.Store.Write(vm, "");
            _services.Store.Write($"{vm}/uuid", record.Uuid.ToString("D"));
            _services.Store.Write($"{path}/vm", vm);
            WriteName(domid, record.Name);
            _services.Consoles.Dismiss(domid, $"the domain has stopped and is kept as {record.Name}; it starts again");
            _services.Consoles.Rename(domid, record.Uuid, record.Name);
            Publish("renamed", domid, record.Name, record.Uuid);
        }

        Running.Save(next);
        Running.Save(record with { Phase = DomainPhase.Preserved, FormerUuid = null, Restarts = [] });
        Hold(next.Uuid, () => StartOver(next));
    }

    /// <summary>NAME-1, NAME-2 and so on: the first that nobody has.</summary>
    private string FreeName(string name)
    {
        string[] taken =
        [
            .. Hypervisor.System.ListDomains().Select(info => NameOf(info.Id)),
            .. Running.All.Select(record => record.Name),
            .. Defined.All.Select(record => record.Name),
        ];
        int number = 1;
        while (taken.Contains($"{name}-{number}"))
        {
            number++;
        }

        return $"{name}-{number}";
    }

    /// <summary>Destroys a domain for good and forgets it.</summary>
    private void Finish(DomainRecord record, string notice, string action, string? reason = null)
    {
        if (record.Phase != DomainPhase.Destroying)
        {
            record = record with { Phase = DomainPhase.Destroying };
            Running.Save(record);
        }

        if (record.Domid is { } domid)
        {
            _services.Consoles.Close(domid, $"the domain was {notice}", comesAgain: false);
        }

        Dismantle(record);
        if (reason is null)
        {
            Remember(record.Uuid, new DomainEnd(null, action, IsGone: true));
        }

        Running.Remove(record.Uuid);
        _services.Log($"destroyed '{record.Name}'" + (record.Domid is { } id ? $", number {id}" : ""));
        Publish("destroyed", record.Domid ?? -1, record.Name, record.Uuid, reason, action);
    }

    /// <summary>Forgets a domain that is gone without this daemon's doing.</summary>
    private void Forget(DomainRecord record, string notice)
    {
        _services.Consoles.Close(record.Domid ?? -1, $"the domain was {notice}", comesAgain: false);
        Dismantle(record);
        Remember(record.Uuid, new DomainEnd(null, "destroy", IsGone: true));
        Running.Remove(record.Uuid);
        _services.Log($"'{record.Name}' is gone: {notice}");
        Publish("destroyed", record.Domid ?? -1, record.Name, record.Uuid, notice, "destroy");
    }

    /// <summary>
    /// Removes whatever there is of a record's domain in the hypervisor and in the store; nothing there is no error.
    /// </summary>
    private void Dismantle(DomainRecord record)
    {
        foreach (DomainInfo info in Hypervisor.System.ListDomains().Where(info => info.Uuid == record.Uuid && info.Id != 0))
        {
            DomainDestroyer.Destroy(Hypervisor, _services.Store, new DomainReference(info.Id, record.Name),
                _services.Log, _devices);
        }

        // Entries without a domain: somebody else destroyed it, or this daemon was killed half-way.
        string vm = StoreEntries.VmPath(record.Uuid);
        foreach (string number in _services.Store.List("/local/domain"))
        {
            if (int.TryParse(number, out int domid) && (record.Domid is null || record.Domid == domid)
                && _services.Store.TryRead($"{StoreEntries.DomainPath(domid)}/vm") == vm)
            {
                _ = _devices.RemoveAll(domid);
                StoreEntries.Remove(_services.Store, domid);
                _services.Store.Release(domid);
            }
        }

        _services.Store.Remove(vm);
    }

    private bool IsThere(int domid, Guid uuid) => InfoOf(domid) is { } info && info.Uuid == uuid;

    private void Remember(Guid uuid, DomainEnd end)
    {
        if (_ends.Count == EndsKept)
        {
            _ = _ends.Dequeue();
        }

        _ends.Enqueue((uuid, end));
    }
}
