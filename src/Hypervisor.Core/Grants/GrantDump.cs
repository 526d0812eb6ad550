// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Grants;

/// <summary>Shows the grants of a domain that are in use on the console.</summary>
public static unsafe class GrantDump
{
    public static void Print(Domain* domain)
    {
        Log.Info("Grants of domain "u8).Decimal((uint)domain->Id).Text(": "u8)
            .Decimal(domain->Grants.FrameCount).Text(" frames, "u8)
            .Decimal(domain->Grants.MappingCount).Text(" mappings of others"u8).End();
        for (uint reference = 0; reference < GrantTable.CountOf(domain); reference++)
        {
            domain->Grants.Lock.Acquire();
            ActiveGrant active = *GrantTable.Active(domain, reference);
            domain->Grants.Lock.Release();
            if (active.IsPinned)
            {
                Log.Info("  "u8).Decimal(reference).Text(" frame "u8).Hex(active.Frame)
                    .Text(" to domain "u8).Decimal((uint)active.Domain)
                    .Text(", reading "u8).Decimal(active.Readers)
                    .Text(", writing "u8).Decimal(active.Writers).End();
            }
        }
    }
}
