// SPDX-License-Identifier: MIT
//
// What lists show. The back end's nodes are Domain-0's; ring, event channel and state are the guest's own, and whatever is
// no number there is shown as -1.
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Devices;

/// <summary>A disk as <c>xm block-list</c> shows it.</summary>
public sealed record DiskSummary(int Vdev, string Name, int BackendId, int Handle, int State, int EventChannel,
    int RingRef, string BackendPath, int BackendState, string? Target, string? Node, string? Mode, string? DeviceType);

/// <summary>A network interface as <c>xm network-list</c> shows it.</summary>
public sealed record VifSummary(int Idx, int BackendId, string Mac, int Handle, int State, int EventChannel,
    int TxRingRef, int RxRingRef, string BackendPath, int BackendState, string Interface, string? Bridge, string? Ip,
    string? Rate, string? Script);

/// <summary>Finds and describes devices of domains.</summary>
public sealed class DeviceDirectory
{
    private readonly StoreClient _store;
    private readonly DeviceManager _devices;

    /// <summary>Looks into <paramref name="store"/>.</summary>
    public DeviceDirectory(StoreClient store)
    {
        _store = store;
        _devices = new DeviceManager(store);
    }

    /// <summary>A domain's disks.</summary>
    public IReadOnlyList<DiskSummary> Disks(int domain) => [.. _devices.Devices(DeviceKind.Vbd, domain).Select(Disk)];

    /// <summary>A domain's network interfaces.</summary>
    public IReadOnlyList<VifSummary> Vifs(int domain) => [.. _devices.Devices(DeviceKind.Vif, domain).Select(Vif)];

    /// <summary>The disk that a name or number means.</summary>
    /// <exception cref="ToolstackException">The domain has none such.</exception>
    public DeviceAddress FindDisk(int domain, string name)
    {
        // The name that it was attached by counts before the number that the name stands for.
        IReadOnlyList<DiskSummary> disks = Disks(domain);
        DiskSummary? disk = disks.FirstOrDefault(known => known.Name == name)
            ?? (DiskNumber.TryParse(name, out int number) ? disks.FirstOrDefault(known => known.Vdev == number) : null);
        return disk is not null
            ? new DeviceAddress(DeviceKind.Vbd, domain, disk.Vdev)
            : throw new ToolstackException($"domain {domain} has no disk '{name}'", $"See 'xm block-list {domain}'");
    }

    /// <summary>The network interface that a handle or an address means.</summary>
    /// <exception cref="ToolstackException">The domain has none such.</exception>
    public DeviceAddress FindVif(int domain, string name)
    {
        bool isAddress = MacAddress.TryParse(name, out string mac);
        VifSummary? vif = Vifs(domain).FirstOrDefault(known =>
            isAddress ? known.Mac == mac : known.Idx.ToString(CultureInfo.InvariantCulture) == name);
        return vif is not null
            ? new DeviceAddress(DeviceKind.Vif, domain, vif.Idx)
            : throw new ToolstackException($"domain {domain} has no network interface '{name}'",
                $"See 'xm network-list {domain}'");
    }

    private DiskSummary Disk(DeviceAddress device) => new(
        device.Index, Backend(device, "dev") ?? device.Index.ToString(CultureInfo.InvariantCulture), 0, device.Index,
        DeviceStates.Read(_store, device.Frontend), Number(device, "event-channel", "queue-0/event-channel"),
        Number(device, "ring-ref", "ring-ref0", "queue-0/ring-ref"), device.Backend,
        DeviceStates.Read(_store, device.Backend), Backend(device, "params"), Backend(device, "node"),
        Backend(device, "mode"), Backend(device, "device-type"));

    private VifSummary Vif(DeviceAddress device) => new(
        device.Index, 0, Backend(device, "mac") ?? "", device.Index, DeviceStates.Read(_store, device.Frontend),
        Number(device, "event-channel", "event-channel-tx", "queue-0/event-channel", "queue-0/event-channel-tx"),
        Number(device, "tx-ring-ref", "queue-0/tx-ring-ref"), Number(device, "rx-ring-ref", "queue-0/rx-ring-ref"),
        device.Backend, DeviceStates.Read(_store, device.Backend), Backend(device, "vifname") ?? device.InterfaceName,
        Backend(device, "bridge"), Backend(device, "ip"), Backend(device, "rate"),
        Backend(device, "runs-script") == "1" ? Backend(device, "script") : null);

    private string? Backend(DeviceAddress device, string name) => _store.TryRead($"{device.Backend}/{name}");

    private int Number(DeviceAddress device, params string[] names)
    {
        foreach (string name in names)
        {
            if (int.TryParse(_store.TryRead($"{device.Frontend}/{name}"), NumberStyles.None,
                CultureInfo.InvariantCulture, out int number))
            {
                return number;
            }
        }

        return -1;
    }
}
