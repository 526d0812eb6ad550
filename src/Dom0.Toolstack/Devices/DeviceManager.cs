// SPDX-License-Identifier: MIT
//
// Makes devices of guests and takes them back. No script is needed: what Xen's hotplug scripts write (physical-device,
// hotplug-status) is written here, after the same work was done by system calls.
//
// The back ends are Domain-0's kernel. A disk's opens the device that physical-device names; a network interface's makes
// an interface of its own, and waits for hotplug-status to say that somebody connected it. Everything that waits has a
// limit, and says in the end who did not come: which end, in which state, and what its driver complained about.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Devices;

/// <summary>Attaches and detaches devices of guests.</summary>
public sealed class DeviceManager : IDeviceService
{
    /// <summary>How long a driver may take.</summary>
    public const int LimitMilliseconds = 10_000;

    private const int StepMilliseconds = 20;

    private readonly StoreClient _store;
    private readonly IHostDevices _host;

    /// <summary>Works on this host.</summary>
    public DeviceManager(StoreClient store)
        : this(store, LinuxDevices.Host)
    {
    }

    /// <summary>Works on the host that is given.</summary>
    public DeviceManager(StoreClient store, IHostDevices host)
    {
        _store = store;
        _host = host;
    }

    /// <inheritdoc/>
    public void AttachAll(int domain, DomainConfig config)
    {
        foreach (string disk in config.Disks)
        {
            _ = AttachDisk(domain, DiskSpec.Parse(disk));
        }

        // Those that want a number of their own come before those that take any.
        foreach (VifSpec vif in config.Vifs.Select(VifSpec.Parse).OrderBy(vif => vif.Handle is null))
        {
            _ = AttachVif(domain, vif);
        }
    }

    /// <summary>Gives a domain a disk; when this returns, the back end has it open.</summary>
    /// <exception cref="ToolstackException">That cannot be done; nothing of it is left.</exception>
    public DeviceAddress AttachDisk(int domain, DiskSpec disk)
    {
        RequireDriver(DeviceKind.Vbd, $"disk {disk.Name}", "xen-blkback");
        DeviceAddress device = new(DeviceKind.Vbd, domain, disk.Number);
        HostFile file = _host.Identify(disk.Target);
        RequireKind(disk, file);
        DiskSharing.CheckOwnUse(_host, disk, file);
        using ILoopDevice? loop = file.Block is null
            ? _host.AttachLoop(disk.Target, disk.Mode == DiskMode.ReadOnly)
            : null;
        if (loop is not null)
        {
            RemoveOrphans(loop.Number);
        }

        BlockNumber number = loop?.Number ?? file.Block!.Value;
        string mark = Guid.NewGuid().ToString("N");
        string type = disk.IsCdrom ? "cdrom" : "disk";
        (string, string)[] backend =
        [
            ("dev", disk.Name),
            ("type", loop is null ? "phy" : "file"),
            ("params", disk.Target),
            ("mode", disk.Mode switch { DiskMode.ReadOnly => "r", DiskMode.Writable => "w", _ => "w!" }),
            ("device-type", type),
            ("removable", disk.IsCdrom ? "1" : "0"),
            ("bootable", "1"),
            ("node", loop?.Path ?? disk.Target),
            ("physical-device-path", loop?.Path ?? disk.Target),
            ("physical-device", number.Node),
            ("hotplug-status", "connected"),
        ];
        (string, string)[] frontend =
            [("virtual-device", disk.Number.ToString(CultureInfo.InvariantCulture)), ("device-type", type)];
        _store.InTransaction(transaction =>
        {
            if (_store.TryRead($"{device.Backend}/frontend", transaction) is not null)
            {
                throw new ToolstackException(
                    $"disk {disk.Name}: the domain has a disk of number {disk.Number} already",
                    $"Choose another name, or detach that one: xm block-detach {domain} {disk.Name}");
            }

            DiskSharing.Check(_store, transaction, _host, domain, disk, file);
            DeviceEntries.Write(_store, transaction, device, mark, backend, frontend);
        }, () => DeviceEntries.IsWritten(_store, device, mark));
        return Undone(device, () => Wait($"disk {disk.Name}", device, "opened its device",
            () => _host.IsDiskOpen(device)));
    }

    /// <summary>Gives a domain a network interface; when this returns, Domain-0's end is connected.</summary>
    /// <exception cref="ToolstackException">That cannot be done; nothing of it is left.</exception>
    public DeviceAddress AttachVif(int domain, VifSpec vif)
    {
        RequireDriver(DeviceKind.Vif, "vif", "xen-netback");
        string mac = vif.Mac ?? MacAddress.Generate();
        if (vif.InterfaceName is { } wanted && _host.HasInterface(wanted))
        {
            throw new ToolstackException($"vif {mac}: there is an interface {wanted} already", "Choose another vifname");
        }

        DeviceAddress device = default;
        string mark = Guid.NewGuid().ToString("N");
        _store.InTransaction(transaction =>
        {
            RefuseTakenAddress(transaction, mac);
            device = new DeviceAddress(DeviceKind.Vif, domain, ChooseHandle(transaction, domain, vif.Handle));
            string handle = device.Index.ToString(CultureInfo.InvariantCulture);
            List<(string, string)> backend =
            [
                ("handle", handle),
                ("mac", mac),
                ("bridge", vif.Bridge),
                ("type", "vif"),

                // The driver insists on a name, and passes it to whoever listens for its events.
                ("script", vif.Script ?? "/etc/xen/scripts/vif-bridge"),
            ];
            Add(backend, "vifname", vif.InterfaceName);
            Add(backend, "ip", vif.Addresses);
            Add(backend, "rate", vif.Rate?.Node);
            Add(backend, "runs-script", vif.Script is null ? null : "1");
            List<(string, string)> frontend = [("handle", handle), ("mac", mac)];
            Add(backend, "mtu", vif.Mtu?.ToString(CultureInfo.InvariantCulture));
            Add(frontend, "mtu", vif.Mtu?.ToString(CultureInfo.InvariantCulture));
            DeviceEntries.Write(_store, transaction, device, mark, backend, frontend);
        }, () => DeviceEntries.IsWritten(_store, device, mark));
        return Undone(device, () =>
        {
            Wait($"vif {mac}", device, $"made its interface {device.InterfaceName}",
                () => _host.HasInterface(device.InterfaceName));
            Connect(device, vif);
        });
    }

    /// <summary>
    /// Waits for the guest to take a device. Null when it did; otherwise a sentence about what it does instead.
    /// </summary>
    public string? WaitForGuest(DeviceAddress device, int milliseconds = LimitMilliseconds)
    {
        long deadline = _host.Now + milliseconds;
        while (true)
        {
            int backend = DeviceStates.Read(_store, device.Backend);
            if (backend == DeviceStates.Connected)
            {
                return null;
            }

            if (_host.Now >= deadline || backend == 0)
            {
                return $"the guest has not taken {device.KernelName}: {Describe(device)}";
            }

            _host.Pause(StepMilliseconds);
        }
    }

    /// <summary>
    /// Takes a device from a guest. A guest that keeps it busy is an error, unless <paramref name="isForced"/>: then the
    /// device goes without the guest's consent.
    /// </summary>
    public void Detach(DeviceAddress device, bool isForced)
    {
        // Without a ring there is nothing that the guest would have to give back.
        bool isInUse = DeviceStates.Read(_store, device.Backend) > DeviceStates.InitWait
            || DeviceStates.Read(_store, device.Frontend) > DeviceStates.Initialising;
        RunOffline(device);
        if (DeviceEntries.Close(_store, device) && isInUse)
        {
            bool isClosed = Until(_host.Now + LimitMilliseconds, () => IsClosed(device));
            if (!isClosed && !isForced)
            {
                throw new ToolstackException(
                    $"the guest does not give {device.KernelName} back: {Describe(device)}",
                    "Stop using it in the guest (unmount it), or force it (-f): the guest then loses what it has not written");
            }
        }

        DeviceEntries.Remove(_store, device);
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> RemoveAll(int domain)
    {
        List<DeviceAddress> devices = [.. Devices(DeviceKind.Vbd, domain), .. Devices(DeviceKind.Vif, domain)];
        List<string> complaints = [];
        foreach (DeviceAddress device in devices)
        {
            RunOffline(device);
            if (DeviceEntries.Close(_store, device))
            {
                // The guest cannot answer: without the front end's directory the back end ends by itself.
                _store.Remove(device.Frontend);
            }
        }

        long deadline = _host.Now + LimitMilliseconds;
        foreach (DeviceAddress device in devices)
        {
            if (!Until(deadline, () => IsClosed(device)))
            {
                complaints.Add($"the back end of {device.KernelName} has not ended within "
                    + $"{LimitMilliseconds / 1000} seconds: {Describe(device)}");
            }

            DeviceEntries.Remove(_store, device);
        }

        return complaints;
    }

    /// <summary>A domain's devices of a kind, by number.</summary>
    public IReadOnlyList<DeviceAddress> Devices(DeviceKind kind, int domain) =>
    [
        .. _store.List(DeviceAddress.BackendsOf(kind, domain))
            .Where(name => int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(name => new DeviceAddress(kind, domain, int.Parse(name, CultureInfo.InvariantCulture)))
            .OrderBy(device => device.Index),
    ];

    private static void Add(List<(string, string)> nodes, string name, string? value)
    {
        if (value is not null)
        {
            nodes.Add((name, value));
        }
    }

    private void RequireDriver(DeviceKind kind, string what, string module)
    {
        if (!_host.HasDriver(kind))
        {
            throw new ToolstackException($"{what}: Domain-0's kernel has no back end for it",
                $"Load the driver: modprobe {module}");
        }
    }

    /// <summary>
    /// A loop device that was free a moment ago has no users. A disk that names it was left by a command that was killed before the
    /// back end had opened the device, which cleared itself; it must not come to what is behind the device now.
    /// </summary>
    private void RemoveOrphans(BlockNumber loop)
    {
        foreach (string domain in _store.List(DeviceAddress.BackendsOf(DeviceKind.Vbd)))
        {
            if (!int.TryParse(domain, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
            {
                continue;
            }

            foreach (DeviceAddress device in Devices(DeviceKind.Vbd, id).Where(device =>
                _store.TryRead($"{device.Backend}/physical-device") == loop.Node && DeviceEntries.IsOurs(_store, device)))
            {
                Detach(device, isForced: true);
                if (!Until(_host.Now + LimitMilliseconds, () => !_host.IsDiskOpen(device)))
                {
                    throw new ToolstackException(
                        $"{device.KernelName}, which a killed command left without its file, does not end: {Describe(device)}",
                        "See Domain-0's kernel log (dmesg)");
                }
            }
        }
    }

    private static void RequireKind(DiskSpec disk, HostFile file)
    {
        bool isRight = disk.Source switch
        {
            DiskSource.BlockDevice => file.Block is not null,
            DiskSource.File => file.File is not null,
            _ => file.Block is not null || file.File is not null,
        };
        if (!isRight)
        {
            string what = file.Block is not null ? "a block device" : file.File is not null ? "a file" : "neither";
            throw new ToolstackException(
                $"disk {disk.Name}: {disk.Target} is {(what == "neither" ? "no block device and no file" : what)}",
                "Write phy: for block devices and file: for files");
        }
    }

    private DeviceAddress Undone(DeviceAddress device, Action action)
    {
        try
        {
            action();
            return device;
        }
        catch
        {
            try
            {
                DeviceEntries.Remove(_store, device);
            }
            catch (ToolstackException)
            {
                // The first failure is the one to report.
            }

            throw;
        }
    }

    private void Wait(string what, DeviceAddress device, string awaited, Func<bool> condition)
    {
        bool isDone = Until(_host.Now + LimitMilliseconds,
            () => condition() || _store.TryRead($"{device.BackendError}/error") is not null) && condition();
        if (!isDone)
        {
            throw new ToolstackException($"{what}: the back end has not {awaited}: {Describe(device)}",
                "See Domain-0's kernel log (dmesg)");
        }
    }

    private void Connect(DeviceAddress device, VifSpec vif)
    {
        string name = device.InterfaceName;
        if (vif.Script is not null)
        {
            // It gives the interface the name that is wanted, too.
            RunScript(device, vif.Script, name, "online");
            string? status = _store.TryRead($"{device.Backend}/hotplug-status");
            if (status != "connected")
            {
                throw new ToolstackException(
                    $"vif: the script {vif.Script} left hotplug-status '{status}' and said: {HotplugError(device) ?? "nothing more"}",
                    "A script that connects an interface writes hotplug-status 'connected' to $XENBUS_PATH");
            }

            return;
        }

        if (vif.InterfaceName is { } wanted)
        {
            _host.RenameInterface(name, wanted);
            name = wanted;
        }

        _host.EnsureBridge(vif.Bridge);
        _host.JoinBridge(vif.Bridge, name);
        _store.Write($"{device.Backend}/hotplug-status", "connected");
    }

    /// <summary>A script that made a device ready is told that it goes; what it answers changes nothing.</summary>
    private void RunOffline(DeviceAddress device)
    {
        // Ours name no script for disks: one that does is Debian's tools', whose script holds a loop device for it.
        bool isDisk = device.Kind == DeviceKind.Vbd;
        if ((isDisk || _store.TryRead($"{device.Backend}/runs-script") == "1")
            && _store.TryRead($"{device.Backend}/script") is { Length: > 0 } script)
        {
            string name = _store.TryRead($"{device.Backend}/vifname") ?? device.InterfaceName;
            try
            {
                RunScript(device, script, name, isDisk ? "remove" : "offline");
            }
            catch (ToolstackException)
            {
                // The device goes either way.
            }
        }
    }

    private void RunScript(DeviceAddress device, string script, string name, string action)
    {
        ScriptResult result = _host.RunScript(script, action, new Dictionary<string, string>
        {
            ["XENBUS_TYPE"] = device.KindName,
            ["XENBUS_BASE_PATH"] = "backend",
            ["XENBUS_PATH"] = device.Backend,
            ["script"] = script,
            ["vif"] = name,
            ["dev"] = name,
        });
        if (result.Status != 0)
        {
            string? complaint = HotplugError(device) ?? (result.Complaint.Length > 0 ? result.Complaint : null);
            throw new ToolstackException($"vif: '{script} {action}' ended with status {result.Status}"
                + (complaint is null ? "" : $" and said: {complaint}"));
        }
    }

    /// <summary>What a script has against the device: Xen's own write it there.</summary>
    private string? HotplugError(DeviceAddress device) =>
        _store.TryRead($"{device.Backend}/hotplug-error") is { Length: > 0 } error ? error : null;

    private void RefuseTakenAddress(uint transaction, string mac)
    {
        string all = DeviceAddress.BackendsOf(DeviceKind.Vif);
        foreach (string domain in _store.List(all, transaction))
        {
            foreach (string handle in _store.List($"{all}/{domain}", transaction))
            {
                if (_store.TryRead($"{all}/{domain}/{handle}/mac", transaction) == mac)
                {
                    throw new ToolstackException($"vif: the interface {handle} of domain {domain} has {mac} already",
                        "Choose another address, or leave mac= out");
                }
            }
        }
    }

    private int ChooseHandle(uint transaction, int domain, int? wanted)
    {
        HashSet<string> taken = [.. _store.List(DeviceAddress.BackendsOf(DeviceKind.Vif, domain), transaction)];
        if (wanted is { } number)
        {
            return !taken.Contains(number.ToString(CultureInfo.InvariantCulture))
                ? number
                : throw new ToolstackException($"vif: the domain has an interface {number} already",
                    $"Leave handle={number} out, or detach that one: xm network-detach {domain} {number}");
        }

        int handle = 0;
        while (taken.Contains(handle.ToString(CultureInfo.InvariantCulture)))
        {
            handle++;
        }

        return handle;
    }

    private bool IsClosed(DeviceAddress device) =>
        DeviceStates.Read(_store, device.Backend) is 0 or DeviceStates.Closed;

    private bool Until(long deadline, Func<bool> condition)
    {
        while (!condition())
        {
            if (_host.Now >= deadline)
            {
                return false;
            }

            _host.Pause(StepMilliseconds);
        }

        return true;
    }

    /// <summary>Both ends' states and complaints. The guest's words are shortened and stripped: it may say anything.</summary>
    private string Describe(DeviceAddress device)
    {
        string text = $"back end in state {DeviceStates.Describe(DeviceStates.Read(_store, device.Backend))}, "
            + $"front end in state {DeviceStates.Describe(DeviceStates.Read(_store, device.Frontend))}";
        foreach ((string side, string path) in
            new[] { ("the back end's", device.BackendError), ("the front end's", device.FrontendError) })
        {
            if (_store.TryRead($"{path}/error") is { Length: > 0 } error)
            {
                string printable = new([.. error.Where(c => !char.IsControl(c)).Take(120)]);
                text += $"; {side} driver says '{printable}'";
            }
        }

        return text;
    }
}
