// SPDX-License-Identifier: MIT
//
// xenconsoled serves each guest's console ring as a pseudo-terminal and publishes its name in the store. The client
// copies between that and its own terminal until the user leaves with Ctrl+], the guest's console closes, or standard
// input ends. Standard input that ends before it gave a single byte (</dev/null) means that only the output is wanted.
using System;
using System.Runtime.InteropServices;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Console;

/// <summary>How a session at a guest's console ended.</summary>
public enum ConsoleEnd
{
    /// <summary>The user pressed Ctrl+], or standard input ended.</summary>
    Left,

    /// <summary>The guest's side closed: the domain is gone.</summary>
    Closed,

    /// <summary>The domain stopped by itself and waits for somebody to remove it.</summary>
    Stopped,
}

/// <summary>Joins this process's terminal with a guest's console.</summary>
public sealed unsafe class ConsoleClient : IDisposable
{
    /// <summary>Ctrl+].</summary>
    public const byte LeaveKey = 0x1d;

    private const int StandardInput = 0;
    private const int StandardOutput = 1;
    private const int DrainMilliseconds = 300;
    private const int CheckMilliseconds = 500;

    private readonly FileDescriptor _console;
    private readonly byte[] _first;

    private ConsoleClient(FileDescriptor console, byte[] first)
    {
        _console = console;
        _first = first;
    }

    /// <summary>Bytes of the guest's output that were shown.</summary>
    public long Shown { get; private set; }

    /// <summary>The console is a stream that somebody attached; its first bytes may have been read already.</summary>
    internal static ConsoleClient Over(FileDescriptor stream, byte[] first) => new(stream, first);

    /// <summary>Opens the console of a domain, waiting for its daemon up to the given time.</summary>
    /// <exception cref="ToolstackException">The domain has no console, or its daemon does not serve it.</exception>
    public static ConsoleClient Open(StoreClient store, int domain, int milliseconds)
    {
        string path = $"/local/domain/{domain}/console/tty";
        string token = $"console-{domain}";
        store.Watch(path, token);
        try
        {
            long deadline = Environment.TickCount64 + milliseconds;
            while (true)
            {
                if (store.TryRead(path) is { Length: > 0 } terminal)
                {
                    FileDescriptor? console =
                        FileDescriptor.Open(terminal, Libc.OpenNoControllingTerminal, out int errno);
                    return console is not null
                        ? new ConsoleClient(console, [])
                        : throw new ToolstackException(
                            $"cannot open the console of domain {domain}, {terminal}: {LibcErrno.Describe(errno)}");
                }

                long left = deadline - Environment.TickCount64;
                if (left <= 0)
                {
                    throw new ToolstackException(
                        $"domain {domain} has no console: nobody wrote {path} within {milliseconds / 1000} seconds",
                        "Check that xenconsoled runs");
                }

                _ = store.WaitForEvent((int)left);
            }
        }
        finally
        {
            store.Unwatch(path, token);
        }
    }

    /// <summary>
    /// Copies until the session ends. The daemon keeps the console of a stopped domain open, so whether the domain
    /// still lives is asked of <paramref name="hasStopped"/> now and then.
    /// </summary>
    public ConsoleEnd Run(Func<bool> hasStopped) => Run(hasStopped, StandardInput, StandardOutput);

    internal ConsoleEnd Run(Func<bool> hasStopped, int input, int output)
    {
        using Terminal guestSide = Terminal.MakeRaw(_console.Number);
        using Terminal ownSide = Terminal.MakeRaw(input);
        Span<byte> buffer = stackalloc byte[4096];
        Libc.PollEntry* entries = stackalloc Libc.PollEntry[2];
        bool hasInput = true;
        bool gaveInput = false;
        if (!Show(output, _first))
        {
            return ConsoleEnd.Closed;
        }

        while (true)
        {
            entries[0] = new() { Descriptor = _console.Number, Events = Libc.PollIn };
            entries[1] = new() { Descriptor = hasInput ? input : -1, Events = Libc.PollIn };
            int ready = Libc.Poll(entries, 2, CheckMilliseconds);
            if (ready < 0)
            {
                continue;
            }

            if (ready == 0)
            {
                if (hasStopped())
                {
                    _ = Drain(output, buffer);
                    return ConsoleEnd.Stopped;
                }

                continue;
            }

            if (entries[0].Returned != 0 && !CopyOutput(output, buffer))
            {
                return ConsoleEnd.Closed;
            }

            if (entries[1].Returned == 0)
            {
                continue;
            }

            int count = Read(input, buffer);
            if (count <= 0)
            {
                hasInput = false;
                if (gaveInput)
                {
                    return Drain(output, buffer);
                }

                continue;
            }

            gaveInput = true;
            Span<byte> typed = buffer[..count];
            int leave = typed.IndexOf(LeaveKey);
            if (_console.Write(leave < 0 ? typed : typed[..leave]) < 0)
            {
                return ConsoleEnd.Closed;
            }

            if (leave >= 0)
            {
                return ConsoleEnd.Left;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _console.Dispose();

    private static int Read(int descriptor, Span<byte> buffer)
    {
        fixed (byte* pointer = buffer)
        {
            while (true)
            {
                nint count = Libc.Read(descriptor, pointer, (nuint)buffer.Length);
                if (count >= 0 || Marshal.GetLastPInvokeError() != LibcErrno.Interrupted)
                {
                    return (int)count;
                }
            }
        }
    }

    private bool CopyOutput(int output, Span<byte> buffer)
    {
        int count = _console.Read(buffer);
        return count > 0 && Show(output, buffer[..count]);
    }

    private bool Show(int output, ReadOnlySpan<byte> data)
    {
        Shown += data.Length;
        fixed (byte* pointer = data)
        {
            for (int done = 0; done < data.Length;)
            {
                nint written = Libc.Write(output, pointer + done, (nuint)(data.Length - done));
                if (written < 0)
                {
                    if (Marshal.GetLastPInvokeError() == LibcErrno.Interrupted)
                    {
                        continue;
                    }

                    return false;
                }

                done += (int)written;
            }
        }

        return true;
    }

    /// <summary>After the last input, shows what the guest still answers.</summary>
    private ConsoleEnd Drain(int output, Span<byte> buffer)
    {
        while (_console.WaitForInput(DrainMilliseconds))
        {
            if (!CopyOutput(output, buffer))
            {
                return ConsoleEnd.Closed;
            }
        }

        return ConsoleEnd.Left;
    }
}
