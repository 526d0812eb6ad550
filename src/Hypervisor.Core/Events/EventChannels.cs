// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Events;

/// <summary>What other parts of the hypervisor ask about ports.</summary>
public static unsafe class EventChannels
{
    /// <summary>The domain has an entry for the port, free or not.</summary>
    public static bool IsValidPort(Domain* domain, uint port) => EventPorts.Find(domain, port) != null;

    /// <summary>The port has an event, masked or not.</summary>
    /// <remarks>Precondition: <see cref="IsValidPort"/>.</remarks>
    public static bool IsPending(Domain* domain, uint port) => EventDelivery.IsPending(domain, port);
}
