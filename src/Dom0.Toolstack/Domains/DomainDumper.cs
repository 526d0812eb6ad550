// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Hypercalls;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>Dumps domains, which are held still meanwhile.</summary>
public static class DomainDumper
{
    /// <summary>Where dumps go if nobody says.</summary>
    public const string Folder = "/var/lib/xen/dump";

    /// <summary>The file of a domain's dump if nobody says.</summary>
    public static string DefaultPath(string name, DateTimeOffset now) =>
        Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{now:yyyyMMdd-HHmmss}.core"));

    /// <summary>Writes a domain's memory to a file; a live one runs on meanwhile, and the dump may not fit together.</summary>
    public static DumpResult Dump(Hypervisor hypervisor, DomainReference domain, string path, bool isLive)
    {
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 cannot be dumped: it would have to hold itself still");
        }

        DomId id = new((ushort)domain.Id);
        DomainInfo info = hypervisor.Domains.TryGetInfo(domain.Id)
            ?? throw new ToolstackException($"the domain '{domain.Name}' does not exist any more");
        bool holds = !isLive && !info.IsPaused && !info.IsShutdown;
        if (holds)
        {
            hypervisor.Domains.Pause(id);
        }

        try
        {
            return CoreDump.Write(hypervisor, domain.Id, path);
        }
        finally
        {
            if (holds)
            {
                hypervisor.Domains.Unpause(id);
            }
        }
    }
}
