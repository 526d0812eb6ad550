// SPDX-License-Identifier: MIT

using Hypervisor.Core.Grants;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Debug key g: grants in use of all domains.</summary>
public static unsafe class GrantUseDump
{
    public static void Print()
    {
        uint id = 0;
        for (Domain* domain = DomainWalk.Next(ref id); domain != null; domain = DomainWalk.Next(ref id))
        {
            GrantDump.Print(domain);
            _ = DomainTable.Put(domain);
        }
    }
}
