// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using Dom0.Toolstack;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Store.Machine;

/// <summary>The hypervisor under this kernel, as far as the store needs it.</summary>
internal sealed unsafe class XenInterface : IXenInterface, IDisposable
{
    private const string BackendDevice = "/dev/xen/xenbus_backend";
    private const string RingFile = "/proc/xen/xsd_kva";
    private const string PortFile = "/proc/xen/xsd_port";
    private const uint BackendPortRequest = 0x42 << 8;
    private const uint StoreGrant = 1;
    private const int PageSize = 4096;

    private readonly Privcmd _privcmd;
    private readonly Hypervisor _hypervisor;
    private readonly EventDevice _events;
    private readonly GrantDevice? _grants;
    private readonly Action<string> _log;

    private XenInterface(Action<string> log)
    {
        _log = log;
        _privcmd = Privcmd.Open();
        _hypervisor = new Hypervisor(_privcmd);
        _events = EventDevice.Open();
        _grants = GrantDevice.TryOpen();
        int port = _events.BindVirtualIrq(VirtualIrq.DomExc);
        DomainExceptionPort = port >= 0
            ? (uint)port
            : throw new ToolstackException(
                $"cannot bind to the interrupt that tells of domains' ends: {LibcErrno.Describe(-port)}",
                port == -LibcErrno.Exists ? "Stop the other store: only one can run" : null);
    }

    /// <summary>What to wait on for events.</summary>
    public int EventDescriptor => _events.Descriptor;

    /// <summary>The local port of <c>VIRQ_DOM_EXC</c>.</summary>
    public uint DomainExceptionPort { get; }

    /// <summary>Opens all that it takes.</summary>
    /// <exception cref="ToolstackException">This is not Domain-0, or another store runs.</exception>
    public static XenInterface Open(Action<string> log) => new(log);

    /// <summary>The port of Domain-0's own ring; null when its kernel does not tell.</summary>
    public static uint? KernelPort()
    {
        using FileDescriptor? backend = FileDescriptor.Open(BackendDevice, 0, out _);
        if (backend is not null && backend.Control(BackendPortRequest, null) is int port && port > 0)
        {
            return (uint)port;
        }

        return File.Exists(PortFile)
            && uint.TryParse(File.ReadAllText(PortFile).Trim(), CultureInfo.InvariantCulture, out uint read)
            ? read
            : null;
    }

    /// <inheritdoc/>
    public DomainCondition Condition(ushort domain)
    {
        try
        {
            return _hypervisor.Domains.TryGetInfo(domain) switch
            {
                null or { IsDying: true } => DomainCondition.Gone,
                { IsShutdown: true } => DomainCondition.ShutDown,
                _ => DomainCondition.Alive,
            };
        }
        catch (XenException refused)
        {
            _log($"domain {domain}: {refused.Message}; it is taken to be alive");
            return DomainCondition.Alive;
        }
    }

    /// <inheritdoc/>
    public NativeRegion? MapRing(ushort domain, ulong frame)
    {
        if (domain == 0)
        {
            return MapKernelRing();
        }

        if (_grants?.TryMap(domain, StoreGrant) is { } granted)
        {
            return granted;
        }

        try
        {
            return _privcmd.MapFrames(domain, [frame], isReadOnly: false);
        }
        catch (ToolstackException refused)
        {
            _log($"domain {domain}: its ring (frame {frame:x}) cannot be mapped: {refused.Message}");
            return null;
        }
    }

    /// <inheritdoc/>
    public uint? Bind(ushort domain, uint port)
    {
        int local = _events.BindInterdomain(domain, port);
        if (local < 0)
        {
            _log($"domain {domain}: port {port} cannot be bound: {LibcErrno.Describe(-local)}");
            return null;
        }

        return (uint)local;
    }

    /// <inheritdoc/>
    public void Unbind(uint localPort) => _events.Unbind(localPort);

    /// <inheritdoc/>
    public void Notify(uint localPort) => _events.Notify(localPort);

    /// <inheritdoc/>
    public void Unmask(uint localPort) => _events.Unmask(localPort);

    /// <summary>Ports that had events; how many.</summary>
    public int ReadEvents(Span<uint> ports) => _events.Read(ports);

    /// <inheritdoc/>
    public void Dispose()
    {
        _grants?.Dispose();
        _events.Dispose();
        _hypervisor.Dispose();
        _privcmd.Dispose();
    }

    private NativeRegion? MapKernelRing()
    {
        foreach (string path in (string[])[BackendDevice, RingFile])
        {
            using FileDescriptor? device = FileDescriptor.Open(path, 0, out int errno);
            if (device is null)
            {
                _log($"cannot open {path}: {LibcErrno.Describe(errno)}");
                continue;
            }

            nint address = Libc.Map(0, PageSize, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapShared, device.Number, 0);
            if (address != -1)
            {
                return new NativeRegion(address, PageSize, (mapped, length) => _ = Libc.Unmap(mapped, (nuint)length));
            }
        }

        return null;
    }
}
