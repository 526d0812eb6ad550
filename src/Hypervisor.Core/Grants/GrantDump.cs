// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Grants;

/// <summary>Shows the grants of a domain that are in use on the console.</summary>
public static unsafe class GrantDump
{
    /// <summary>Grants shown of one domain.</summary>
    private const uint MaxLines = 64;

    public static void Print(Domain* domain)
    {
        Log.Error("Grants of domain "u8).Decimal((uint)domain->Id).Text(": "u8)
            .Decimal(domain->Grants.FrameCount).Text(" frames, "u8)
            .Decimal(domain->Grants.MappingCount).Text(" mappings of others"u8).End();
        uint lines = 0;
        for (uint reference = 0; reference < GrantTable.CountOf(domain) && lines <= MaxLines; reference++)
        {
            domain->Grants.Lock.Acquire();
            ActiveGrant active = *GrantTable.Active(domain, reference);
            domain->Grants.Lock.Release();
            if (active.IsPinned && ++lines > MaxLines)
            {
                Log.Error("  and more"u8).End();
            }
            else if (active.IsPinned)
            {
                Log.Error("  "u8).Decimal(reference).Text(" frame "u8).Hex(active.Frame)
                    .Text(" to domain "u8).Decimal((uint)active.Domain)
                    .Text(", reading "u8).Decimal(active.Readers)
                    .Text(", writing "u8).Decimal(active.Writers).End();
            }
        }
    }
}
