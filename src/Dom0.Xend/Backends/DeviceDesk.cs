// SPDX-License-Identifier: MIT
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;

namespace Dom0.Xend.Backends;

/// <summary>
/// Does the device work of many domains at a time, and of one domain one thing after the other: whoever asks for a
/// domain's devices to go, because the process that wanted them has died, waits until they are there or have failed.
/// </summary>
internal sealed class DeviceDesk : IDeviceService
{
    private readonly Action<Action<IDeviceService>> _withService;

    // Kept for good: there are no more domains than their numbers, and a lock that goes while somebody waits is none.
    private readonly ConcurrentDictionary<int, object> _domains = [];

    /// <summary>
    /// Works by <paramref name="withService"/>, which calls what it is given with a service of its own, from any thread.
    /// </summary>
    public DeviceDesk(Action<Action<IDeviceService>> withService) => _withService = withService;

    /// <inheritdoc/>
    public void AttachAll(int domain, DomainConfig config) =>
        Work(domain, service => service.AttachAll(domain, config));

    /// <inheritdoc/>
    public IReadOnlyList<string> RemoveAll(int domain)
    {
        IReadOnlyList<string> complaints = [];
        Work(domain, service => complaints = service.RemoveAll(domain));
        return complaints;
    }

    private void Work(int domain, Action<IDeviceService> action)
    {
        lock (_domains.GetOrAdd(domain, _ => new object()))
        {
            _withService(action);
        }
    }
}
