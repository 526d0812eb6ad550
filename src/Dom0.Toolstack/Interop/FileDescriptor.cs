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

    /// <summary>Connects to a unix socket; null, with the error number, when that fails.</summary>
    public static FileDescriptor? Connect(string path, out int errno)
    {
        int number = Libc.Socket(Libc.UnixSockets, Libc.StreamSocket | Libc.SocketCloseOnExec, 0);
        if (number < 0)
        {
            errno = Marshal.GetLastPInvokeError();
            return null;
        }

        // struct sockaddr_un: the family, then the path with its terminating zero.
        Span<byte> address = stackalloc byte[110];
        address.Clear();
        address[0] = Libc.UnixSockets;
        int length = System.Text.Encoding.UTF8.GetBytes(path, address.Slice(2, 107));
        fixed (byte* pointer = address)
        {
            errno = Libc.Connect(number, pointer, (uint)(length + 3)) < 0 ? Marshal.GetLastPInvokeError() : 0;
        }

        if (errno == 0)
        {
            return new FileDescriptor(number);
        }

        _ = Libc.Close(number);
        return null;
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

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_number >= 0)
        {
            _ = Libc.Close(_number);
            _number = -1;
        }
    }
}
