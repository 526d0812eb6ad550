// SPDX-License-Identifier: MIT
//
// Learns of domains that come, stop and go. The hypervisor's own signal (VIRQ_DOM_EXC) can be bound once, and the
// store's daemon has it; that daemon passes it on as the special watches. Since a watch can be lost with the daemon,
// there is a look every few seconds as well.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Dom0.Xend.Consoles;

namespace Dom0.Xend.Domains;

/// <summary>Watches the store, tells the worker to check, and finds consoles of domains that others created.</summary>
internal sealed class DomainWatcher
{
    private const int LookMilliseconds = 5000;
    private const int RetryMilliseconds = 500;
    private const string DomainsToken = "domains";
    private const string ConsoleToken = "console";

    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _store;
    private readonly ConsoleService _consoles;
    private readonly DomainWorker _worker;
    private readonly Action<string> _log;
    private readonly HashSet<int> _watched = [];

    /// <summary>Watches with a hypervisor channel and a store connection of its own.</summary>
    public DomainWatcher(
        Hypervisor hypervisor, StoreClient store, ConsoleService consoles, DomainWorker worker, Action<string> log)
    {
        _hypervisor = hypervisor;
        _store = store;
        _consoles = consoles;
        _worker = worker;
        _log = log;
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => new Thread(Loop) { IsBackground = true, Name = "watcher" }.Start();

    private void Loop()
    {
        bool isWatching = false;
        while (true)
        {
            try
            {
                if (!isWatching)
                {
                    _store.Watch("@introduceDomain", DomainsToken);
                    _store.Watch("@releaseDomain", DomainsToken);
                    isWatching = true;
                }

                _ = _store.WaitForEvent(LookMilliseconds);
                while (_store.WaitForEvent(0) is not null)
                {
                    // One look serves them all.
                }

                Look();
                _worker.RequestCheck();
            }
            catch (ToolstackException failure)
            {
                _log($"watching: {failure.Message}");
                Thread.Sleep(RetryMilliseconds);
            }
        }
    }

    private void Look()
    {
        IReadOnlyList<DomainInfo> domains = _hypervisor.System.ListDomains();
        int[] existing = [.. domains.Where(info => !info.IsDying && info.Id != 0).Select(info => info.Id)];
        IReadOnlyList<int> served = _consoles.Served();
        foreach (int gone in served.Except(existing))
        {
            _consoles.Close(gone, "the domain was destroyed", comesAgain: false);
        }

        _consoles.Prune([.. domains.Select(info => info.Id)]);
        foreach (DomainInfo info in domains.Where(info => existing.Contains(info.Id) && !served.Contains(info.Id)))
        {
            TryOpen(info);
        }

        foreach (int domid in _watched.Where(domid => !existing.Contains(domid) || served.Contains(domid)).ToArray())
        {
            _ = _watched.Remove(domid);
            _store.Unwatch($"{StoreEntries.DomainPath(domid)}/console", ConsoleToken);
        }
    }

    /// <summary>Opens the console of a domain whose entries are complete, or watches until they are.</summary>
    private void TryOpen(DomainInfo info)
    {
        string domain = StoreEntries.DomainPath(info.Id);
        string console = $"{domain}/console";
        if (ulong.TryParse(_store.TryRead($"{console}/ring-ref"), out ulong frame)
            && uint.TryParse(_store.TryRead($"{console}/port"), out uint port)
            && _store.TryRead($"{console}/type") is null or "xenconsoled"
            && _store.TryRead($"{domain}/name") is { } name && Toolstack.Config.DomainConfigCheck.IsName(name))
        {
            try
            {
                if (_consoles.OpenUnlessKnown(info.Id, info.Uuid, name, frame, port) is { } terminal)
                {
                    _store.Write($"{console}/tty", terminal);
                }
            }
            catch (ToolstackException failure)
            {
                // Gone in between, or served by somebody else: the next look finds out.
                _log($"the console of '{name}', number {info.Id}: {failure.Message}");
            }
        }
        else if (_watched.Add(info.Id))
        {
            _store.Watch(console, ConsoleToken);
        }
    }
}
