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

    private readonly FileDescriptor _stream;

    private StoreSocket(FileDescriptor stream) => _stream = stream;

    /// <summary>Connects to the first of the known ways that works.</summary>
    public static StoreSocket Connect()
    {
        List<string> failures = [];
        foreach (string path in s_sockets)
        {
            if (FileDescriptor.Connect(path, out int errno) is { } socket)
            {
                return new StoreSocket(socket);
            }

            failures.Add($"{path}: {LibcErrno.Describe(errno)}");
        }

        foreach (string path in s_devices)
        {
            if (FileDescriptor.Open(path, 0, out int errno) is { } device)
            {
                return new StoreSocket(device);
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
