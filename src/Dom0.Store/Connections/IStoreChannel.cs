// SPDX-License-Identifier: MIT
namespace Dom0.Store.Connections;

/// <summary>The way of a connection's bytes: a socket or a ring.</summary>
public interface IStoreChannel
{
    /// <summary>Sends as much of the connection's output as the other side takes at this moment.</summary>
    void Pump();
}
