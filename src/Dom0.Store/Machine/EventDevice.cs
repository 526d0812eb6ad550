// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Store.Machine;

/// <summary>
/// Event channels of this process: <c>/dev/xen/evtchn</c>. A port that had an event is masked until it is written back.
/// </summary>
internal sealed unsafe class EventDevice : IDisposable
{
    // _IOC(_IOC_NONE, 'E', number, size) of xen/sys/evtchn.h.
    private const uint BindVirqRequest = (4 << 16) | (0x45 << 8) | 0;
    private const uint BindInterdomainRequest = (8 << 16) | (0x45 << 8) | 1;
    private const uint UnbindRequest = (4 << 16) | (0x45 << 8) | 3;
    private const uint NotifyRequest = (4 << 16) | (0x45 << 8) | 4;

    private readonly FileDescriptor _device;

    private EventDevice(FileDescriptor device) => _device = device;

    /// <summary>What to wait on for events.</summary>
    public int Descriptor => _device.Number;

    /// <summary>Opens the driver.</summary>
    public static EventDevice Open() =>
        FileDescriptor.Open("/dev/xen/evtchn", Libc.OpenNonBlocking, out int errno) is { } device
            ? new EventDevice(device)
            : throw new Dom0.Toolstack.ToolstackException(
                $"cannot open /dev/xen/evtchn: {LibcErrno.Describe(errno)}",
                "Run the store in Domain-0 as root, with the xen-evtchn module loaded (modprobe xen-evtchn)");

    /// <summary>Binds to a virtual interrupt; the port, or a negative error number.</summary>
    public int BindVirtualIrq(VirtualIrq irq)
    {
        uint argument = (uint)irq;
        return _device.Control(BindVirqRequest, &argument);
    }

    /// <summary>Binds to a port of another domain; the local port, or a negative error number.</summary>
    public int BindInterdomain(ushort domain, uint port)
    {
        uint* arguments = stackalloc uint[2] { domain, port };
        return _device.Control(BindInterdomainRequest, arguments);
    }

    /// <summary>Lets go of a port.</summary>
    public void Unbind(uint port) => _ = _device.Control(UnbindRequest, &port);

    /// <summary>Sends an event.</summary>
    public void Notify(uint port) => _ = _device.Control(NotifyRequest, &port);

    /// <summary>Lets the next event of a port come.</summary>
    public void Unmask(uint port) => _ = _device.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<uint>(in port)));

    /// <summary>Ports that had events; how many of them there are, 0 when there are none.</summary>
    public int Read(Span<uint> ports)
    {
        int count = _device.Read(MemoryMarshal.AsBytes(ports));
        return count > 0 ? count / sizeof(uint) : 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();
}
