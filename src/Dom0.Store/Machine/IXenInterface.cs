// SPDX-License-Identifier: MIT
using Dom0.Toolstack.Interop;

namespace Dom0.Store.Machine;

/// <summary>What the hypervisor and Domain-0's kernel offer a store; tests put their own behind it.</summary>
public interface IXenInterface
{
    /// <summary>How a domain is.</summary>
    DomainCondition Condition(ushort domain);

    /// <summary>Maps the page of a domain's ring; null when that is refused.</summary>
    NativeRegion? MapRing(ushort domain, ulong frame);

    /// <summary>Binds to a port of a domain; the local port, or null when that is refused.</summary>
    uint? Bind(ushort domain, uint port);

    /// <summary>Lets go of a local port.</summary>
    void Unbind(uint localPort);

    /// <summary>Sends an event.</summary>
    void Notify(uint localPort);

    /// <summary>Lets the next event of a port come.</summary>
    void Unmask(uint localPort);
}
