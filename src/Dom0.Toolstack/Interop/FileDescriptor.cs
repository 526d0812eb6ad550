// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;

namespace Dom0.Toolstack.Interop;

/// <summary>An open file, device or socket, closed when disposed.</summary>
internal sealed unsafe class FileDescriptor : IDisposable
{
    private int _number;

    private FileDescriptor(int number) => _number = number;

    /// <summary>The kernel's number for it.</summary>
    public int Number => _number >= 0 ? _number : throw new ObjectDisposedException(nameof(FileDescriptor));

    /// <summary>Opens a path for reading and writing; null, with the error number, when that fails.</summary>
    public static FileDescriptor? Open(string path, int extraFlags, out int errno)
    {
        int number = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec | extraFlags, 0);
        errno = number < 0 ? Marshal.GetLastPInvokeError() : 0;
        return number < 0 ? null : new FileDescriptor(number);
    }

    /// <summary>Opens a path, for reading alone if so wanted; null, with the error number, when that fails.</summary>
    public static FileDescriptor? OpenFor(string path, bool isReadOnly, out int errno)
    {
        int number = Libc.Open(path, (isReadOnly ? 0 : Libc.OpenReadWrite) | Libc.OpenCloseOnExec, 0);
        errno = number < 0 ? Marshal.GetLastPInvokeError() : 0;
        return number < 0 ? null : new FileDescriptor(number);
    }

    /// <summary>Connects to a unix socket; null, with the error number, when that fails.</summary>
    public static FileDescriptor? Connect(string path, out int errno)
    {
        int number = Libc.Socket(Libc.UnixSockets, Libc.StreamSocket | Libc.SocketCloseOnExec, 0);
        if (number < 0)
        {
            errno = Marshal.GetLastPInvokeError();
            return null;
        }

        Span<byte> address = stackalloc byte[110];
        int length = FillAddress(path, address);
        fixed (byte* pointer = address)
        {
            errno = Libc.Connect(number, pointer, (uint)length) < 0 ? Marshal.GetLastPInvokeError() : 0;
        }

        if (errno == 0)
        {
            return new FileDescriptor(number);
        }

        _ = Libc.Close(number);
        return null;
    }

    /// <summary>Takes over a number that a call gave out.</summary>
    public static FileDescriptor Own(int number) => new(number);

    /// <summary>Listens on a unix socket that replaces what the path was; null, with the error number, when that fails.</summary>
    public static FileDescriptor? Listen(string path, out int errno)
    {
        int number = Libc.Socket(Libc.UnixSockets, Libc.StreamSocket | Libc.SocketCloseOnExec, 0);
        if (number < 0)
        {
            errno = Marshal.GetLastPInvokeError();
            return null;
        }

        Span<byte> address = stackalloc byte[110];
        int length = FillAddress(path, address);
        fixed (byte* pointer = address)
        {
            errno = Libc.Bind(number, pointer, (uint)length) < 0 || Libc.Listen(number, 64) < 0
                ? Marshal.GetLastPInvokeError()
                : 0;
        }

        if (errno == 0)
        {
            return new FileDescriptor(number);
        }

        _ = Libc.Close(number);
        return null;
    }

    /// <summary>The next connection to a listening socket; null, with the error number, when there is none.</summary>
    public FileDescriptor? Accept(out int errno)
    {
        int number = Libc.Accept(Number, null, null, Libc.SocketCloseOnExec);
        errno = number < 0 ? Marshal.GetLastPInvokeError() : 0;
        return number < 0 ? null : new FileDescriptor(number);
    }

    /// <summary>Makes reads and writes return at once.</summary>
    public void SetNonBlocking() =>
        _ = Libc.ControlFlags(Number, Libc.SetFlags, Libc.ControlFlags(Number, Libc.GetFlags, 0) | Libc.OpenNonBlocking);

    /// <summary>Who is at the other end of a unix socket, by user number; -1 when the kernel does not say.</summary>
    public int PeerUser()
    {
        // struct ucred: process, user, group.
        int* credentials = stackalloc int[3];
        uint length = 12;
        return Libc.GetSocketOption(Number, Libc.SocketLevel, Libc.PeerCredentials, credentials, &length) == 0
            ? credentials[1]
            : -1;
    }

    /// <summary>Writes as much as goes without waiting; returns the count or a negative error number.</summary>
    public int WriteSome(ReadOnlySpan<byte> data)
    {
        fixed (byte* pointer = data)
        {
            nint count = Libc.Write(Number, pointer, (nuint)data.Length);
            return count >= 0 ? (int)count : -Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>
    /// Reads what there is, up to the buffer's size; 0 at the end, a negative error number when it fails.
    /// </summary>
    public int Read(Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                nint count = Libc.Read(Number, pointer, (nuint)buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno != LibcErrno.Interrupted)
                {
                    return -errno;
                }
            }
        }
    }

    /// <summary>Writes all of it; returns 0 or a negative error number.</summary>
    public int Write(ReadOnlySpan<byte> data)
    {
        fixed (byte* pointer = data)
        {
            for (int done = 0; done < data.Length;)
            {
                nint count = Libc.Write(Number, pointer + done, (nuint)(data.Length - done));
                if (count >= 0)
                {
                    done += (int)count;
                    continue;
                }

                int errno = Marshal.GetLastPInvokeError();
                if (errno != LibcErrno.Interrupted)
                {
                    return -errno;
                }
            }
        }

        return 0;
    }

    /// <summary>Runs an ioctl; returns its non-negative result or a negative error number.</summary>
    public int Control(uint request, void* argument)
    {
        int result = Libc.Control(Number, request, argument);
        return result >= 0 ? result : -Marshal.GetLastPInvokeError();
    }

    /// <summary>Waits until there is something to read; false when the time is up first.</summary>
    public bool WaitForInput(int milliseconds)
    {
        Libc.PollEntry entry = new() { Descriptor = Number, Events = Libc.PollIn };
        return Libc.Poll(&entry, 1, milliseconds) > 0;
    }

    /// <summary>Is there room for some bytes at once?</summary>
    public bool HasRoom()
    {
        Libc.PollEntry entry = new() { Descriptor = Number, Events = Libc.PollOut };
        return Libc.Poll(&entry, 1, 0) > 0 && entry.Returned == Libc.PollOut;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_number >= 0)
        {
            _ = Libc.Close(_number);
            _number = -1;
        }
    }

    /// <summary><c>struct sockaddr_un</c>: the family, then the path with its terminating zero.</summary>
    private static int FillAddress(string path, Span<byte> address)
    {
        address.Clear();
        address[0] = Libc.UnixSockets;
        return System.Text.Encoding.UTF8.GetBytes(path, address.Slice(2, 107)) + 3;
    }
}
