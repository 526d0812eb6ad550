// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Store;

/// <summary>
/// The daemon's unix socket, or, where the daemon runs in a domain of its own, the kernel's pipe to Domain-0's ring.
/// </summary>
internal sealed class StoreSocket : IStoreTransport
{
    private static readonly string[] s_sockets =
        ["/run/xenstored/socket", "/var/run/xenstored/socket", "/run/xen/xenstored/socket"];

    private static readonly string[] s_devices = ["/dev/xen/xenbus", "/proc/xen/xenbus"];

    private const int DeviceMilliseconds = 10_000;

    private readonly FileDescriptor _stream;
    private readonly bool _isDevice;

    private StoreSocket(FileDescriptor stream, bool isDevice)
    {
        _stream = stream;
        _isDevice = isDevice;
    }

    /// <summary>Connects to the first of the known ways that works.</summary>
    public static StoreSocket Connect() => Connect(withDevices: true);

    /// <summary>
    /// Connects to a daemon in Domain-0: the kernel's pipe is there even if nobody is at its other end.
    /// </summary>
    public static StoreSocket ConnectToDaemon() => Connect(withDevices: false);

    private static StoreSocket Connect(bool withDevices)
    {
        List<string> failures = [];
        foreach (string path in s_sockets)
        {
            if (FileDescriptor.Connect(path, out int errno) is { } socket)
            {
                return new StoreSocket(socket, isDevice: false);
            }

            failures.Add($"{path}: {LibcErrno.Describe(errno)}");
        }

        foreach (string path in withDevices ? s_devices : [])
        {
            if (FileDescriptor.Open(path, 0, out int errno) is { } device)
            {
                return new StoreSocket(device, isDevice: true);
            }

            failures.Add($"{path}: {LibcErrno.Describe(errno)}");
        }

        throw new ToolstackException($"cannot reach the store ({string.Join("; ", failures)})",
            "Start it (service xenstored start, or /etc/init.d/xen start), and run xm as root");
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> data)
    {
        int result = _stream.Write(data);
        if (result < 0)
        {
            throw new StoreDisconnectedException(
                $"the connection to xenstored broke: {LibcErrno.Describe(-result)}");
        }
    }

    /// <inheritdoc/>
    public void Receive(Span<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            if (_isDevice && !_stream.WaitForInput(DeviceMilliseconds))
            {
                throw new ToolstackException(
                    $"the store did not answer for {DeviceMilliseconds / 1000} seconds, and has no socket",
                    "Start its daemon (xend, or xenstored)");
            }

            int count = _stream.Read(buffer);
            if (count <= 0)
            {
                throw new StoreDisconnectedException(count == 0
                    ? "xenstored closed the connection"
                    : $"the connection to xenstored broke: {LibcErrno.Describe(-count)}");
            }

            buffer = buffer[count..];
        }
    }

    /// <inheritdoc/>
    public bool WaitForInput(int milliseconds) => _stream.WaitForInput(milliseconds);

    /// <inheritdoc/>
    public void Dispose() => _stream.Dispose();
}
