// SPDX-License-Identifier: MIT
//
// Linux's evtchn driver: ports of Domain-0 that this process binds. A read gives the numbers of the ports that had an
// event and masks each; writing a number unmasks it. Ports are closed with the device, so a daemon that is killed leaves
// none behind, and the guest's end of each can be bound again.
using System;
using System.Runtime.InteropServices;

namespace Dom0.Toolstack.Interop;

/// <summary>Event channels of this process.</summary>
internal interface IEventPorts : IDisposable
{
    /// <summary>To be polled for input.</summary>
    int Number { get; }

    /// <summary>Joins a port that another domain left unbound for this one.</summary>
    /// <exception cref="XenException">The hypervisor refuses: somebody else has bound it, or the domain is gone.</exception>
    uint BindInterdomain(int domain, uint remotePort);

    /// <summary>Closes a port.</summary>
    void Unbind(uint port);

    /// <summary>Sends an event to the other end.</summary>
    void Notify(uint port);

    /// <summary>Ports that had an event; each stays masked until <see cref="Unmask"/>.</summary>
    int Read(Span<uint> ports);

    /// <summary>Lets a port have events again.</summary>
    void Unmask(uint port);
}

/// <summary>Event channels of this process, over <c>/dev/xen/evtchn</c>.</summary>
internal sealed unsafe class EventDevice : IEventPorts
{
    // _IOC(_IOC_NONE, 'E', number, size): type 'E' = 0x45 (xen/sys/evtchn.h).
    private const uint BindInterdomainRequest = ((uint)8 << 16) | (0x45 << 8) | 1;
    private const uint UnbindRequest = ((uint)4 << 16) | (0x45 << 8) | 3;
    private const uint NotifyRequest = ((uint)4 << 16) | (0x45 << 8) | 4;

    private readonly FileDescriptor _device;

    private EventDevice(FileDescriptor device) => _device = device;

    /// <inheritdoc/>
    public int Number => _device.Number;

    /// <summary>Opens the driver.</summary>
    /// <exception cref="ToolstackException">There is none, or this user may not.</exception>
    public static EventDevice Open()
    {
        FileDescriptor device = FileDescriptor.Open("/dev/xen/evtchn", Libc.OpenNonBlocking, out int errno)
            ?? throw new ToolstackException($"cannot open /dev/xen/evtchn: {LibcErrno.Describe(errno)}",
                "Load the module (modprobe xen-evtchn), and run this as root in Domain-0");
        return new EventDevice(device);
    }

    /// <inheritdoc/>
    public uint BindInterdomain(int domain, uint remotePort)
    {
        uint* arguments = stackalloc uint[2] { (uint)domain, remotePort };
        int port = _device.Control(BindInterdomainRequest, arguments);
        return port > 0
            ? (uint)port
            : throw new XenException(-port, "event_channel_op bind_interdomain", $"port {remotePort} of domain {domain}");
    }

    /// <inheritdoc/>
    public void Unbind(uint port) => _ = _device.Control(UnbindRequest, &port);

    /// <inheritdoc/>
    public void Notify(uint port) => _ = _device.Control(NotifyRequest, &port);

    /// <inheritdoc/>
    public int Read(Span<uint> ports)
    {
        int count = _device.Read(MemoryMarshal.AsBytes(ports));
        return count > 0 ? count / sizeof(uint) : 0;
    }

    /// <inheritdoc/>
    public void Unmask(uint port) => _ = _device.Write(new ReadOnlySpan<byte>(&port, sizeof(uint)));

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();
}
