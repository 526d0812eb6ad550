// SPDX-License-Identifier: MIT
//
// The process of the back ends may die at any moment, and is started again at once. Taking devices back is begun anew
// then, since each step of it can be made twice. Giving them is begun anew from nothing: what the dead one had made is
// taken back first.
using System;
using System.Collections.Generic;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;

namespace Dom0.Xend.Backends;

/// <summary>A device service that outlives the deaths of the one that it asks.</summary>
internal sealed class EnduringDevices : IDeviceService
{
    private const int Deaths = 3;
    private const int ReturnMilliseconds = 40_000;
    private const int RetryMilliseconds = 100;

    private readonly IDeviceService _service;
    private readonly Action<int> _pause;
    private readonly Action<string> _log;

    /// <summary>
    /// Asks <paramref name="service"/>, which says by <see cref="XendDisconnectedException"/> that it has died or is not
    /// there yet; <paramref name="pause"/> waits so many milliseconds.
    /// </summary>
    public EnduringDevices(IDeviceService service, Action<int> pause, Action<string> log)
    {
        _service = service;
        _pause = pause;
        _log = log;
    }

    /// <inheritdoc/>
    public void AttachAll(int domain, DomainConfig config)
    {
        if (config.Disks.Count == 0 && config.Vifs.Count == 0)
        {
            return;
        }

        _ = Insist(domain, "giving it devices", isFirst =>
        {
            if (!isFirst)
            {
                _ = _service.RemoveAll(domain);
            }

            _service.AttachAll(domain, config);
            return true;
        });
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> RemoveAll(int domain) =>
        Insist(domain, "taking its devices back", _ => _service.RemoveAll(domain));

    private T Insist<T>(int domain, string what, Func<bool, T> work)
    {
        int deaths = 0;
        int waited = 0;
        while (true)
        {
            try
            {
                return work(deaths == 0 && waited == 0);
            }
            catch (XendDisconnectedException gone)
            {
                deaths += gone.WasConnected ? 1 : 0;
                if (deaths == Deaths || waited >= ReturnMilliseconds)
                {
                    throw new ToolstackException($"domain {domain}: {what} failed: " + (deaths == Deaths
                        ? $"xend's process of the back ends died {Deaths} times over it"
                        : gone.Message), "See 'xend status' and xend's log (xm log)", gone);
                }

                _log($"domain {domain}: {what} is begun anew: {gone.Message}");
                _pause(RetryMilliseconds);
                waited += RetryMilliseconds;
            }
        }
    }
}
