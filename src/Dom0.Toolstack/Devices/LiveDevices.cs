// SPDX-License-Identifier: MIT
//
// What a saved domain must get back. Only the back ends' side is believed. Numbers matter: the guest's drivers look for
// their devices, after they have been restored, under the numbers that they had.
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Devices;

/// <summary>The devices of a domain as a configuration would ask for them.</summary>
internal static class LiveDevices
{
    private const string DefaultScript = "/etc/xen/scripts/vif-bridge";

    /// <summary>The entries of <c>disk</c> and <c>vif</c> that mean what the domain has at this moment.</summary>
    /// <exception cref="ToolstackException">It has a device that no configuration here can ask for.</exception>
    public static (IReadOnlyList<string> Disks, IReadOnlyList<string> Vifs) Read(StoreClient store, DomainReference domain)
    {
        DeviceManager devices = new(store);
        IReadOnlyList<DeviceAddress> disks = devices.Devices(DeviceKind.Vbd, domain.Id);
        IReadOnlyList<DeviceAddress> vifs = devices.Devices(DeviceKind.Vif, domain.Id);
        RefuseOthers(store, domain, [.. disks, .. vifs]);
        return ([.. disks.Select(disk => Disk(store, disk))], [.. vifs.Select(vif => Vif(store, vif))]);
    }

    private static void RefuseOthers(StoreClient store, DomainReference domain, DeviceAddress[] known)
    {
        string root = $"{StoreEntries.DomainPath(domain.Id)}/device";
        string[] others =
        [
            .. store.List(root).Where(kind => kind is not ("suspend" or "console"))
                .SelectMany(kind => store.List($"{root}/{kind}").Select(index => (Kind: kind, Index: index)))
                .Where(device => !known.Any(one => one.Frontend == $"{root}/{device.Kind}/{device.Index}"))
                .Select(device => $"{device.Kind} {device.Index}"),
        ];
        if (others.Length > 0)
        {
            throw new ToolstackException(
                $"'{domain.Name}' has devices that are neither disks nor network interfaces of Domain-0's kernel: "
                    + string.Join(", ", others),
                "Detach them first, or use 'xl save' for a domain that xl created");
        }
    }

    private static string Disk(StoreClient store, DeviceAddress device)
    {
        string? Node(string name) => store.TryRead($"{device.Backend}/{name}");

        string number = device.Index.ToString(CultureInfo.InvariantCulture);
        string name = Node("dev") is { } given && DiskNumber.TryParse(given, out int meant) && meant == device.Index
            ? given
            : number;
        string type = Node("device-type") is "cdrom" ? ",devtype=cdrom" : "";
        return $"format=raw,vdev={name},access={Node("mode") ?? "w"}{type},target={Node("params")}";
    }

    private static string Vif(StoreClient store, DeviceAddress device)
    {
        string? Node(string name) => store.TryRead($"{device.Backend}/{name}") is { Length: > 0 } value ? value : null;

        List<string> words = [$"handle={device.Index.ToString(CultureInfo.InvariantCulture)}"];
        void Add(string key, string? value)
        {
            if (value is not null)
            {
                words.Add($"{key}={value}");
            }
        }

        Add("mac", Node("mac"));
        Add("bridge", Node("bridge"));
        Add("vifname", Node("vifname") is { } name && name != device.InterfaceName ? name : null);
        Add("ip", Node("ip"));
        Add("rate", TransferRate.TryReadNode(Node("rate"), out TransferRate rate) ? rate.Text : null);
        Add("mtu", Node("mtu"));

        // Debian's tools name their usual script, whose work is done here without it.
        Add("script", Node("script") is { } script && (script != DefaultScript || Node("runs-script") == "1") ? script : null);
        return string.Join(',', words);
    }
}
