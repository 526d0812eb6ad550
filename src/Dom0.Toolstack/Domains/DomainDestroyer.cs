// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>Ends domains at once, whatever they are doing.</summary>
public static class DomainDestroyer
{
    /// <summary>
    /// Destroys a domain and forgets it in the store; Domain-0 is refused. Its devices go first, while there is somebody
    /// whose memory the back ends can give back; one that does not end in time, as <paramref name="warn"/> is told,
    /// keeps nothing from being destroyed. <paramref name="devices"/> takes them back, or else this process.
    /// </summary>
    public static void Destroy(Hypervisor hypervisor, StoreClient? store, DomainReference domain,
        Action<string>? warn = null, IDeviceService? devices = null)
    {
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 cannot be destroyed: it runs this command",
                "To stop the machine, shut Domain-0 down with poweroff");
        }

        // Paused first, so that it does not run on a torso while its memory goes.
        DomId id = new((ushort)domain.Id);
        try
        {
            hypervisor.Domains.Pause(id);
        }
        catch (XenException)
        {
            // A dying domain cannot be paused any more; destroying it goes on where it stopped.
        }

        if (store is not null)
        {
            try
            {
                foreach (string complaint in (devices ?? new DeviceManager(store)).RemoveAll(domain.Id))
                {
                    warn?.Invoke(complaint);
                }
            }
            catch (ToolstackException failure)
            {
                warn?.Invoke($"the devices of '{domain.Name}' were not taken back: {failure.Message}");
            }
        }

        hypervisor.Domains.Destroy(id);
        if (store is not null)
        {
            StoreEntries.Remove(store, domain.Id);
            store.Release(domain.Id);
        }
    }
}
