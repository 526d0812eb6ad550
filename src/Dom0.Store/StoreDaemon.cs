// SPDX-License-Identifier: MIT
//
// The daemon is one thread around one poll. All that is ready gets a turn of a few requests; nobody waits for more than
// one turn of everybody else.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Store.Connections;
using Dom0.Store.Journal;
using Dom0.Store.Machine;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;

namespace Dom0.Store;

/// <summary>The store's daemon.</summary>
public sealed unsafe class StoreDaemon : IDisposable
{
    private readonly StoreOptions _options;
    private readonly StoreServer _server;
    private readonly RingTable _rings;
    private readonly XenInterface? _xen;
    private readonly StoreJournal? _journal;
    private readonly SocketListener _socket;
    private readonly SocketListener? _readOnlySocket;
    private readonly List<SocketChannel> _channels = [];
    private readonly int _wake;
    private Libc.PollEntry[] _entries = new Libc.PollEntry[16];
    private volatile bool _isStopping;

    private StoreDaemon(StoreOptions options)
    {
        _options = options;
        _xen = options.ServesDomains ? XenInterface.Open(options.Log) : null;
        _rings = new RingTable(_xen is not null ? _xen : new NoDomains());
        StoreState state = new(_rings, options.Log) { IsTracing = options.Trace };
        _server = new StoreServer(state);
        _rings.Connect(_server);
        bool isRecovered = false;
        if (options.StateFolder is not null)
        {
            (_journal, isRecovered) = StoreJournal.Open(options.StateFolder, state);
        }

        Begin(state, isRecovered);
        _socket = SocketListener.Listen(options.Socket);
        _readOnlySocket = options.ReadOnlySocket is null ? null : SocketListener.Listen(options.ReadOnlySocket);
        _wake = StoreLibc.EventDescriptor(0, StoreLibc.NonBlocking | StoreLibc.CloseOnExec);
        if (options.PidFile is not null)
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(options.PidFile)!);
            File.WriteAllText(options.PidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        }
    }

    /// <summary>Runs a daemon until SIGTERM or SIGINT, or until <see cref="StoreOptions.Stop"/>.</summary>
    /// <exception cref="ToolstackException">It cannot start.</exception>
    public static void Run(StoreOptions options)
    {
        using StoreDaemon daemon = new(options);
        void End(PosixSignalContext context)
        {
            context.Cancel = true;
            daemon.Stop();
        }

        using PosixSignalRegistration terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using PosixSignalRegistration interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        using CancellationTokenRegistration cancelled = options.Stop.Register(daemon.Stop);
        options.Ready?.Invoke();
        daemon.Loop();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SocketChannel channel in _channels)
        {
            channel.Close();
        }

        _socket.Dispose();
        _readOnlySocket?.Dispose();
        _ = Libc.Close(_wake);
        _journal?.Dispose();
        _xen?.Dispose();
        if (_options.PidFile is not null)
        {
            File.Delete(_options.PidFile);
        }
    }

    private void Begin(StoreState state, bool isRecovered)
    {
        if (isRecovered)
        {
            _rings.Reattach();
        }
        else
        {
            state.Populate();
        }

        if (_xen is not null && state.Domain(0) is null)
        {
            if (XenInterface.KernelPort() is not { } port || state.AddDomain0(port) != StoreErrno.Ok)
            {
                _options.Log("Domain-0's kernel offers no ring: its drivers cannot reach the store "
                    + "(is xenfs mounted on /proc/xen?)");
            }
        }

        if (_journal is not null)
        {
            _server.Keep(_journal);
        }

        if (isRecovered)
        {
            // Domains may have ended while nobody listened.
            state.CheckDomains();
        }

        _server.Settle();
    }

    private void Stop()
    {
        _isStopping = true;
        ulong one = 1;
        _ = Libc.Write(_wake, (byte*)&one, sizeof(ulong));
    }

    private void Loop()
    {
        while (!_isStopping)
        {
            int count = Prepare();
            bool hasWork = _rings.HasWork || _channels.Exists(static channel => channel.HasMore);
            fixed (Libc.PollEntry* entries = _entries)
            {
                if (Libc.Poll(entries, (nuint)count, hasWork ? 0 : -1) < 0)
                {
                    // Interrupted by a signal: nothing is known to be ready.
                    Array.Clear(_entries, 0, count);
                }
            }

            Dispatch(count);
        }
    }

    private int Prepare()
    {
        if (_entries.Length < _channels.Count + 4)
        {
            Array.Resize(ref _entries, 2 * (_channels.Count + 4));
        }

        _entries[0] = Entry(_wake, Libc.PollIn);
        _entries[1] = Entry(_socket.Descriptor, Libc.PollIn);
        _entries[2] = Entry(_readOnlySocket?.Descriptor ?? -1, Libc.PollIn);
        _entries[3] = Entry(_xen?.EventDescriptor ?? -1, Libc.PollIn);
        for (int index = 0; index < _channels.Count; index++)
        {
            _entries[4 + index] = Entry(_channels[index].Descriptor, _channels[index].Interest);
        }

        return 4 + _channels.Count;
    }

    private void Dispatch(int count)
    {
        if (_entries[3].Returned != 0)
        {
            TakeEvents();
        }

        for (int index = 4; index < count; index++)
        {
            SocketChannel channel = _channels[index - 4];
            short returned = _entries[index].Returned;
            if ((returned & StoreLibc.PollOut) != 0)
            {
                channel.Pump();
            }

            if (returned != 0 || channel.HasMore)
            {
                channel.Serve(RingTable.Turn);
            }
        }

        _rings.ServeRound();
        if (_channels.RemoveAll(End) != 0)
        {
            _server.Settle();
        }

        Accept(_entries[1], _socket, isReadOnly: false);
        Accept(_entries[2], _readOnlySocket, isReadOnly: true);
    }

    private bool End(SocketChannel channel)
    {
        if (!channel.IsOver)
        {
            return false;
        }

        _server.Disconnect(channel.Connection);
        channel.Close();
        return true;
    }

    private void Accept(Libc.PollEntry entry, SocketListener? listener, bool isReadOnly)
    {
        if (entry.Returned == 0 || listener is null)
        {
            return;
        }

        for (int descriptor = listener.Accept(); descriptor >= 0; descriptor = listener.Accept())
        {
            _channels.Add(new SocketChannel(_server, descriptor, isReadOnly));
        }
    }

    private void TakeEvents()
    {
        Span<uint> ports = stackalloc uint[64];
        int count = _xen!.ReadEvents(ports);
        foreach (uint port in ports[..count])
        {
            if (port == _xen.DomainExceptionPort)
            {
                _xen.Unmask(port);
                _server.CheckDomains();
            }
            else
            {
                _rings.Signal(port);
            }
        }
    }

    private static Libc.PollEntry Entry(int descriptor, short events) => new() { Descriptor = descriptor, Events = events };

    /// <summary>Where there is no hypervisor there are no domains.</summary>
    private sealed class NoDomains : IXenInterface
    {
        public DomainCondition Condition(ushort domain) => DomainCondition.Gone;

        public NativeRegion? MapRing(ushort domain, ulong frame) => null;

        public uint? Bind(ushort domain, uint port) => null;

        public void Unbind(uint localPort)
        {
        }

        public void Notify(uint localPort)
        {
        }

        public void Unmask(uint localPort)
        {
        }
    }
}
