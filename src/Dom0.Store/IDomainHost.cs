// SPDX-License-Identifier: MIT
namespace Dom0.Store;

/// <summary>How a domain is.</summary>
public enum DomainCondition
{
    /// <summary>There is no such domain, or it is being torn down.</summary>
    Gone,

    /// <summary>It has stopped, and may be resumed.</summary>
    ShutDown,

    /// <summary>Neither.</summary>
    Alive,
}

/// <summary>What the store wants of the hypervisor.</summary>
public interface IDomainHost
{
    /// <summary>How a domain is at this moment.</summary>
    DomainCondition Condition(ushort domain);

    /// <summary>Maps a domain's ring and binds its event channel; its indices are in the connection then.</summary>
    StoreErrno Attach(StoreDomain domain);

    /// <summary>Binds another event channel, whose port the domain's entry has.</summary>
    StoreErrno Rebind(StoreDomain domain);

    /// <summary>Empties a ring: both sides begin at 0.</summary>
    void ResetRing(StoreDomain domain);

    /// <summary>Lets go of a domain's ring and event channel.</summary>
    void Detach(StoreDomain domain);
}
