// SPDX-License-Identifier: MIT
//
// The hypervisor knows which domains exist; the store knows their names. Listing works without the store, so that a
// stuck daemon does not hide the domains: names are then missing, and only numbers can be used.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Domains;

/// <summary>Finds and describes the domains of this host.</summary>
public sealed class DomainDirectory
{
    private const string NoName = "(no name)";

    private readonly Hypervisor _hypervisor;
    private readonly Func<StoreClient> _store;

    /// <summary>Looks at <paramref name="hypervisor"/>, and at the store when names are wanted.</summary>
    public DomainDirectory(Hypervisor hypervisor, Func<StoreClient> store)
    {
        _hypervisor = hypervisor;
        _store = store;
    }

    /// <summary>All domains, by number.</summary>
    public IReadOnlyList<DomainSummary> List()
    {
        IReadOnlyList<DomainInfo> domains = _hypervisor.System.ListDomains();
        IReadOnlyList<string> names = NamesOf(domains);
        List<DomainSummary> summaries = [];
        for (int index = 0; index < domains.Count; index++)
        {
            summaries.Add(Summarise(domains[index], names[index]));
        }

        return summaries;
    }

    /// <summary>The domain with a number or a name.</summary>
    /// <exception cref="ToolstackException">There is none.</exception>
    public DomainReference Find(string nameOrId)
    {
        if (nameOrId.All(char.IsAsciiDigit) && nameOrId.Length > 0)
        {
            if (int.TryParse(nameOrId, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id < 0x7ff0
                && _hypervisor.Domains.TryGetInfo(id) is not null)
            {
                return new DomainReference(id, NameOf(id));
            }
        }
        else
        {
            IReadOnlyList<DomainInfo> domains = _hypervisor.System.ListDomains();
            IReadOnlyList<string> names = NamesOf(domains);
            for (int index = 0; index < domains.Count; index++)
            {
                if (names[index] == nameOrId)
                {
                    return new DomainReference(domains[index].Id, nameOrId);
                }
            }

            // Without the store there are no names to compare: say that instead of denying the domain.
            _ = _store();
        }

        throw new ToolstackException($"the domain '{nameOrId}' does not exist", "See 'xm list' for those that do");
    }

    /// <summary>What the hypervisor says of a domain.</summary>
    /// <exception cref="ToolstackException">It is gone.</exception>
    public DomainInfo Info(DomainReference domain) =>
        _hypervisor.Domains.TryGetInfo(domain.Id)
            ?? throw new ToolstackException($"the domain '{domain.Name}' does not exist any more");

    /// <summary>The summary of one domain.</summary>
    public DomainSummary Summarise(DomainInfo info) => Summarise(info, NameOf(info.Id));

    private static DomainSummary Summarise(DomainInfo info, string name) => new()
    {
        Id = info.Id,
        Name = name,
        Uuid = info.Uuid,
        MemoryKib = info.MemoryKib,
        MaximumMemoryKib = info.MaximumPages > ulong.MaxValue / 4 ? ulong.MaxValue : info.MaximumPages * 4,
        Vcpus = info.OnlineVcpus,
        State = info.StateLetters,
        StateWord = info.StateWord,
        ShutdownReason = info.IsShutdown ? info.Reason.ToString().ToLowerInvariant() : null,
        CpuTimeNanoseconds = info.CpuTime,
        Pool = info.Pool,
    };

    /// <summary>The names of domains, in their order.</summary>
    private IReadOnlyList<string> NamesOf(IReadOnlyList<DomainInfo> domains)
    {
        IReadOnlyList<string?> names;
        try
        {
            names = _store().TryReadAll([.. domains.Select(info => NamePath(info.Id))]);
        }
        catch (ToolstackException)
        {
            names = new string?[domains.Count];
        }

        return [.. names.Select((name, index) => name ?? Placeholder(domains[index].Id))];
    }

    private static string NamePath(int id) => $"/local/domain/{id}/name";

    /// <summary>The name of a domain.</summary>
    public string NameOf(int id)
    {
        try
        {
            return _store().TryRead(NamePath(id)) ?? Placeholder(id);
        }
        catch (ToolstackException)
        {
            return Placeholder(id);
        }
    }

    private static string Placeholder(int id) => id == 0 ? "Domain-0" : NoName;
}
