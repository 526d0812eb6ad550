// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Events;

/// <summary>What a port is bound to.</summary>
public enum PortState : byte
{
    Free = 0,

    /// <summary>Port 0, and a port between its allocation and the completion of its binding.</summary>
    Reserved,

    /// <summary>Waits for the domain <see cref="EventChannel.Number"/> to bind to it.</summary>
    Unbound,
    Interdomain,
    Pirq,
    Virq,
    Ipi,
}
