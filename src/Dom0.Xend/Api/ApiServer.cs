// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;

namespace Dom0.Xend.Api;

/// <summary>Listens on a unix socket that root alone may use, and gives each connection a thread.</summary>
internal sealed class ApiServer
{
    private const int MaximumConnections = 128;

    private readonly Func<FileDescriptor, RequestConnection> _accept;
    private readonly Action<string> _log;
    private readonly FileDescriptor _socket;
    private int _connections;

    /// <summary>Takes the place of whatever listened on <paramref name="path"/> before.</summary>
    /// <exception cref="ToolstackException">The socket cannot be made.</exception>
    public ApiServer(string path, Func<FileDescriptor, RequestConnection> accept, Action<string> log)
    {
        _accept = accept;
        _log = log;

        // Made under another name, closed to others, and only then put in its place: there is no moment in which
        // somebody else could connect.
        string draft = path + ".new";
        File.Delete(draft);
        _socket = FileDescriptor.Listen(draft, out int errno)
            ?? throw new ToolstackException($"cannot listen on {path}: {LibcErrno.Describe(errno)}",
                "Check that the folder exists and that xend runs as root");
        File.SetUnixFileMode(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(draft, path, overwrite: true);
    }

    /// <summary>Accepts connections; does not return.</summary>
    public void Run()
    {
        while (true)
        {
            FileDescriptor? connection = _socket.Accept(out int errno);
            if (connection is null)
            {
                // No descriptors left, most likely; one may be free soon.
                _log($"a connection could not be accepted: {LibcErrno.Describe(errno)}");
                Thread.Sleep(100);
                continue;
            }

            if (connection.PeerUser() is var user && user != 0 && user != (int)Libc.EffectiveUser())
            {
                _log($"a connection of user {user} was refused");
                connection.Dispose();
                continue;
            }

            if (Interlocked.Increment(ref _connections) > MaximumConnections)
            {
                _ = Interlocked.Decrement(ref _connections);
                _log($"a connection was refused: there are {MaximumConnections} already");
                connection.Dispose();
                continue;
            }

            new Thread(() => Serve(connection)) { IsBackground = true, Name = "api" }.Start();
        }
    }

    private void Serve(FileDescriptor connection)
    {
        try
        {
            _accept(connection).Run();
        }
        catch (ToolstackException failure)
        {
            _log($"a connection ended: {failure.Message}");
        }
        finally
        {
            _ = Interlocked.Decrement(ref _connections);
        }
    }
}
