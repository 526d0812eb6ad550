// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Diagnostics;

/// <summary>Goes through the domains, each held by a reference while it is looked at.</summary>
internal static unsafe class DomainWalk
{
    /// <summary>The next domain numbered <paramref name="id"/> or higher, with a reference that the caller gives back;
    /// null at the end. <paramref name="id"/> moves past it.</summary>
    internal static Domain* Next(ref uint id)
    {
        while (id < DomainTable.End)
        {
            uint candidate = id++;
            Domain* domain = DomainTable.Peek(candidate) == null ? null : DomainTable.TryGet(candidate);
            if (domain != null)
            {
                return domain;
            }
        }

        return null;
    }
}
