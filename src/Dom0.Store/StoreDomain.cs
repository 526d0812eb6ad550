// SPDX-License-Identifier: MIT
using Dom0.Store.Connections;
using Dom0.Store.Tree;

namespace Dom0.Store;

/// <summary>A domain that was introduced.</summary>
public sealed class StoreDomain
{
    /// <summary>An entry for a domain that has the given ring.</summary>
    public StoreDomain(ushort id, ulong frame, uint port)
    {
        Id = id;
        Frame = frame;
        Port = port;
        Connection = new StoreConnection(new DomainIdentity(id), isDurable: true);
    }

    /// <summary>Its number.</summary>
    public ushort Id { get; }

    /// <summary>The frame of its ring.</summary>
    public ulong Frame { get; }

    /// <summary>Its port of the event channel.</summary>
    public uint Port { get; set; }

    /// <summary>It has stopped, and that was told.</summary>
    public bool IsShutDown { get; set; }

    /// <summary>What it says and hears.</summary>
    public StoreConnection Connection { get; }
}
