// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;

namespace Dom0.Store.Machine;

/// <summary>A unix socket that waits for programs.</summary>
internal sealed unsafe class SocketListener : IDisposable
{
    private const int Backlog = 16;
    private const int PathRoom = 107;

    private readonly string _path;

    private SocketListener(string path, int descriptor)
    {
        _path = path;
        Descriptor = descriptor;
    }

    /// <summary>What to wait on for connections.</summary>
    public int Descriptor { get; }

    /// <summary>Listens at a path, in place of whatever a former daemon left there; for root alone.</summary>
    public static SocketListener Listen(string path)
    {
        if (Encoding.UTF8.GetByteCount(path) > PathRoom)
        {
            throw new ToolstackException($"the path of the store's socket, {path}, has more than {PathRoom} bytes");
        }

        _ = Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.Delete(path);
        int descriptor = Libc.Socket(
            Libc.UnixSockets, Libc.StreamSocket | Libc.SocketCloseOnExec | StoreLibc.NonBlocking, 0);
        if (descriptor < 0)
        {
            throw Failed(path);
        }

        // struct sockaddr_un: the family, then the path with its terminating zero.
        Span<byte> address = stackalloc byte[PathRoom + 3];
        address.Clear();
        address[0] = Libc.UnixSockets;
        int length = Encoding.UTF8.GetBytes(path, address[2..]);
        fixed (byte* pointer = address)
        {
            if (StoreLibc.Bind(descriptor, pointer, (uint)(length + 3)) < 0)
            {
                throw Failed(path);
            }
        }

        // Nobody can connect before it listens: the mode is right from the first connection on.
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return StoreLibc.Listen(descriptor, Backlog) == 0 ? new SocketListener(path, descriptor) : throw Failed(path);
    }

    /// <summary>The next connection that waits; negative when none does.</summary>
    public int Accept() =>
        StoreLibc.Accept(Descriptor, null, null, StoreLibc.NonBlocking | StoreLibc.CloseOnExec);

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = Libc.Close(Descriptor);
        File.Delete(_path);
    }

    private static ToolstackException Failed(string path) => new(
        $"cannot listen at {path}: {LibcErrno.Describe(Marshal.GetLastPInvokeError())}",
        "Run the store as root, and only once");
}
