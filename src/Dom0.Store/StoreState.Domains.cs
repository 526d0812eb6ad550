// SPDX-License-Identifier: MIT
//
// Domains come by XS_INTRODUCE and go by XS_RELEASE or by dying. The number of one that is gone will be given to
// another: so its nodes go with it, and what permissions say about it is taken out.
using System;
using System.Collections.Generic;
using Dom0.Store.Journal;
using Dom0.Store.Quotas;
using Dom0.Store.Tree;

namespace Dom0.Store;

public sealed partial class StoreState
{
    private readonly SortedDictionary<ushort, StoreDomain> _domains = [];
    private readonly HashSet<ushort> _mentioned = [];

    /// <summary>All domains that were introduced, Domain-0 included when it has a ring.</summary>
    public IReadOnlyCollection<StoreDomain> Domains => _domains.Values;

    /// <summary>Was this domain introduced? Domain-0 always counts as such.</summary>
    public bool IsIntroduced(ushort domain) => domain == 0 || _domains.ContainsKey(domain);

    /// <summary>The entry of a domain; null when it was not introduced.</summary>
    public StoreDomain? Domain(ushort domain) => _domains.GetValueOrDefault(domain);

    /// <summary>Does this domain exist? It is remembered then, so that its end is noticed.</summary>
    public bool Exists(ushort domain)
    {
        if (IsIntroduced(domain) || _mentioned.Contains(domain))
        {
            return true;
        }

        return _host.Condition(domain) != DomainCondition.Gone && _mentioned.Add(domain);
    }

    /// <summary>Domain-0's own ring, which nobody introduces.</summary>
    public StoreErrno AddDomain0(uint port)
    {
        StoreDomain domain = new(0, 0, port);
        StoreErrno error = _host.Attach(domain);
        if (error == StoreErrno.Ok)
        {
            _domains.Add(0, domain);
            Record(domain);
            RecordRing(domain);
        }

        return error;
    }

    /// <summary>A domain's ring, as a request introduces it.</summary>
    public StoreErrno Introduce(ushort id, ulong frame, uint port)
    {
        if (_domains.TryGetValue(id, out StoreDomain? known))
        {
            return IntroduceAgain(known, port);
        }

        if (_host.Condition(id) == DomainCondition.Gone)
        {
            return StoreErrno.NoEntry;
        }

        StoreDomain domain = new(id, frame, port);
        StoreErrno error = _host.Attach(domain);
        if (error != StoreErrno.Ok)
        {
            return error;
        }

        _domains.Add(id, domain);
        _ = _mentioned.Add(id);
        Record(domain);
        RecordRing(domain);
        AnnounceSpecial(IntroduceDomain);
        return StoreErrno.Ok;
    }

    /// <summary>Forgets a domain, because a request says so; the event comes behind the request's answer.</summary>
    public StoreErrno Release(ushort id)
    {
        if (!_domains.TryGetValue(id, out StoreDomain? domain))
        {
            return StoreErrno.NoEntry;
        }

        Drop(domain);
        return StoreErrno.Ok;
    }

    /// <summary>A domain runs again that was shut down.</summary>
    public StoreErrno Resume(ushort id)
    {
        if (!_domains.TryGetValue(id, out StoreDomain? domain))
        {
            return StoreErrno.NoEntry;
        }

        domain.IsShutDown = false;
        Record(domain);
        return StoreErrno.Ok;
    }

    /// <summary>Gives a domain the rights of another.</summary>
    public StoreErrno SetTarget(ushort id, ushort target)
    {
        if (!_domains.TryGetValue(id, out StoreDomain? domain) || !_domains.ContainsKey(target))
        {
            return StoreErrno.NoEntry;
        }

        domain.Connection.Identity = new DomainIdentity(id, target);
        Record(domain);
        return StoreErrno.Ok;
    }

    /// <summary>Looks which domains have died or stopped, and tells those who want to know.</summary>
    public void CheckDomains()
    {
        bool hasNews = false;
        foreach (StoreDomain domain in (StoreDomain[])[.. _domains.Values])
        {
            if (domain.Id == 0)
            {
                continue;
            }

            DomainCondition condition = _host.Condition(domain.Id);
            if (condition == DomainCondition.Gone)
            {
                Drop(domain);
                hasNews = true;
            }
            else if (condition == DomainCondition.ShutDown && !domain.IsShutDown)
            {
                domain.IsShutDown = true;
                Record(domain);
                hasNews = true;
            }
        }

        foreach (ushort id in (ushort[])[.. _mentioned])
        {
            if (!IsIntroduced(id) && _host.Condition(id) == DomainCondition.Gone)
            {
                Purge(id, isGone: true);
            }
        }

        if (hasNews)
        {
            AnnounceSpecial(ReleaseDomain);
        }
    }

    /// <summary>Empties a ring and begins anew, as its guest or a second introduction wants it.</summary>
    public void ResetRing(StoreDomain domain)
    {
        _ = Records.Begin(RecordKind.RingReset).Domain(domain.Id);
        Restart(domain);
        _host.ResetRing(domain);
    }

    /// <summary>Watches, transactions and both queues of a ring are no more.</summary>
    private void Restart(StoreDomain domain)
    {
        ForgetRequests(domain.Connection);
        domain.Connection.Input.Clear();
        domain.Connection.Output.Clear();
        domain.Connection.RequestsTaken = 0;
        domain.Connection.AnswersGiven = 0;
    }

    /// <summary>A domain has one ring for life; only its event channel may be another after a resume.</summary>
    private StoreErrno IntroduceAgain(StoreDomain domain, uint port)
    {
        uint former = domain.Port;
        domain.Port = port;
        if (former != port && _host.Rebind(domain) is not StoreErrno.Ok and StoreErrno error)
        {
            domain.Port = former;
            return error;
        }

        Record(domain);
        ResetRing(domain);
        return StoreErrno.Ok;
    }

    private void Drop(StoreDomain domain)
    {
        ForgetRequests(domain.Connection);
        domain.Connection.Output.Clear();
        _ = Dirty.Remove(domain.Connection);
        _ = Records.Begin(RecordKind.DomainGone).Domain(domain.Id);
        _ = _domains.Remove(domain.Id);
        _host.Detach(domain);
        foreach (StoreDomain other in _domains.Values)
        {
            if (other.Connection.Identity.Target == domain.Id)
            {
                other.Connection.Identity = new DomainIdentity(other.Id);
                Record(other);
            }
        }

        // A released domain that lives on keeps what others let it do; what it owned goes either way.
        Purge(domain.Id, isGone: _host.Condition(domain.Id) == DomainCondition.Gone);
    }

    /// <summary>
    /// Takes the nodes of a domain out of the tree, and, if it does not exist any more, all that permissions say of it.
    /// </summary>
    private void Purge(ushort id, bool isGone)
    {
        List<(string Path, StoreNode Node)> owned = [];
        List<(string Path, NodePermissions Remainder)> mentioning = [];
        foreach ((string path, _, StoreNode node) in TreeSearch.Walk("/", Root))
        {
            bool isBelow = owned.Count != 0 && path.StartsWith(owned[^1].Path + "/", StringComparison.Ordinal);
            if (isBelow)
            {
                continue;
            }

            if (node.Permissions.Owner == id && path != "/")
            {
                owned.Add((path, node));
            }
            else if (isGone && node.Permissions.Without(id) is NodePermissions rest && rest != node.Permissions)
            {
                mentioning.Add((path, rest));
            }
        }

        foreach ((string path, NodePermissions rest) in mentioning)
        {
            _ = Live.Apply(Mutation.SetPermissions(NodePath.Trusted(path), rest));
        }

        foreach ((string path, StoreNode node) in owned)
        {
            _ = Live.Apply(Mutation.Remove(NodePath.Trusted(path)));
            Live.AnnounceRemoval(NodePath.Trusted(path), node);
        }

        if (!isGone)
        {
            return;
        }

        _ = _mentioned.Remove(id);
        _ = _accounts.Remove(id);
        foreach (string name in (string[])[IntroduceDomain, ReleaseDomain])
        {
            NodePermissions permissions = SpecialPermissions(name)!;
            if (permissions.Without(id) is NodePermissions rest && rest != permissions)
            {
                SetSpecialPermissions(name, rest);
            }
        }
    }

    private void Record(StoreDomain domain) => _ = Records.Begin(RecordKind.Domain).Domain(domain.Id).Long(domain.Frame)
        .Word(domain.Port).Domain(domain.Connection.Identity.Target).Byte((byte)(domain.IsShutDown ? 1 : 0));

    private void RecordRing(StoreDomain domain) => _ = Records.Begin(RecordKind.Ring).Domain(domain.Id)
        .Word(domain.Connection.RequestsTaken).Word(domain.Connection.AnswersGiven).Blob(domain.Connection.Input.Partial);
}
