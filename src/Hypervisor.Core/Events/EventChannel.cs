// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Events;

/// <summary>One port of a domain.</summary>
/// <remarks>
/// Locking: changes under the lock of the domain that owns it; into and out of <see cref="PortState.Interdomain"/>
/// under the peer's lock, too. Read without a lock by deliveries within the domain (see <c>EventPorts</c>).
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = 16)]
public unsafe struct EventChannel
{
    /// <summary>A <see cref="PortState"/>.</summary>
    public PortState State;

    /// <summary>The vCPU that learns of events on this port.</summary>
    public byte NotifyVcpu;

    /// <summary>A <see cref="ChannelFifo"/>.</summary>
    public ushort Fifo;

    /// <summary>By state: number of the domain that may bind, the peer's port, the physical or the virtual
    /// interrupt.</summary>
    public uint Number;

    /// <summary>Owner of the peer's port while <see cref="PortState.Interdomain"/>.</summary>
    public Domain* Peer;
}
