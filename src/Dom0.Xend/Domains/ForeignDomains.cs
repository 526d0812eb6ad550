// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Hypercalls;
using Xen.Abi;

namespace Dom0.Xend.Domains;

/// <summary>Domains that others created and look after, such as xl: only their comings and goings are told.</summary>
internal sealed class ForeignDomains
{
    private readonly EventHub _events;
    private readonly Dictionary<int, (Guid Uuid, string Name, bool IsStopped)> _known = [];

    /// <summary>Tells <paramref name="events"/>.</summary>
    public ForeignDomains(EventHub events) => _events = events;

    /// <summary>Compares with what was there before.</summary>
    public void Update(IReadOnlyList<DomainInfo> domains, Func<Guid, bool> isOurs, Func<int, string> nameOf)
    {
        Dictionary<int, DomainInfo> there = domains
            .Where(info => info.Id != 0 && !info.IsDying && !isOurs(info.Uuid)).ToDictionary(info => info.Id);
        foreach ((int domid, (Guid uuid, string name, _)) in _known.ToArray())
        {
            if (!there.TryGetValue(domid, out DomainInfo? info) || info.Uuid != uuid)
            {
                _ = _known.Remove(domid);
                Publish("destroyed", domid, uuid, name);
            }
        }

        foreach (DomainInfo info in there.Values)
        {
            if (!_known.TryGetValue(info.Id, out (Guid Uuid, string Name, bool IsStopped) old))
            {
                old = (info.Uuid, nameOf(info.Id), false);
                Publish("created", info.Id, info.Uuid, old.Name);
            }

            if (info.IsShutdown && !old.IsStopped)
            {
                Publish(info.Reason == ShutdownReason.Crash ? "crashed" : "stopped", info.Id, info.Uuid, old.Name,
                    info.Reason.ToString().ToLowerInvariant());
            }

            _known[info.Id] = old with { IsStopped = info.IsShutdown };
        }
    }

    private void Publish(string what, int domid, Guid uuid, string name, string? reason = null) =>
        _events.Publish(new DomainEvent { Event = what, Domid = domid, Name = name, Uuid = uuid, Reason = reason });
}
