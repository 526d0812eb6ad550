// SPDX-License-Identifier: MIT
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Text;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;
using Dom0.Xend.Consoles;
using Xunit;

namespace Dom0.Xend.Tests;

/// <summary>The thread that serves all consoles, with rings and ports of the test's own.</summary>
public sealed class ConsoleServiceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FakePorts _ports = new();
    private readonly FakeRings _rings = new();
    private readonly ConsoleService _service;
    private readonly Guid _uuid = Guid.NewGuid();

    public ConsoleServiceTests()
    {
        _service = new ConsoleService(new ConsoleFolders(_folder["log"], _folder["state"]), _rings, _ports, _ => { });
        _service.Start();
    }

    public void Dispose()
    {
        // The service's thread does not end: it must not be left a ring.
        foreach (int domid in _service.Served())
        {
            _service.Close(domid, null, comesAgain: false);
        }

        _folder.Dispose();
    }

    /// <summary>Rings by their frame numbers.</summary>
    private sealed class FakeRings : IHypercallChannel
    {
        public ConcurrentDictionary<ulong, FakeRing> Rings { get; } = new();

        public unsafe NativeRegion MapFrames(ushort domain, ReadOnlySpan<ulong> frames, bool isReadOnly = false) =>
            Rings.TryGetValue(frames[0], out FakeRing? ring)
                ? ring.Map()
                : throw new XenException(LibcErrno.Invalid, "map", $"frame {frames[0]}");

        public NativeRegion MapForReading(ushort domain, ReadOnlySpan<ulong> frames, Span<int> errors) =>
            throw new NotSupportedException();

        public NativeRegion Allocate(int bytes) => throw new NotSupportedException();

        public int Call(ulong number, ulong first, ulong second, ulong third, ulong fourth, ulong fifth) =>
            throw new NotSupportedException();

        public NativeRegion MapResource(ushort domain, uint type, uint id, uint index, int pages) =>
            throw new NotSupportedException();

        public void Dispose()
        {
        }
    }

    /// <summary>Ports that the test makes ring; each is masked when it is read, as the driver does.</summary>
    private sealed class FakePorts : IEventPorts
    {
        private readonly object _lock = new();
        private readonly HashSet<uint> _pending = [];
        private readonly FileDescriptor _ready =
            FileDescriptor.Own(Libc.EventDescriptor(0, Libc.EventNonBlocking | Libc.EventCloseOnExec));

        private uint _next = 100;

        public HashSet<uint> Masked { get; } = [];

        public ConcurrentDictionary<uint, int> Bound { get; } = new();

        public ConcurrentDictionary<uint, int> Notified { get; } = new();

        public int Number => _ready.Number;

        /// <summary>An event arrives from a guest, unless the port is masked; then it arrives when it is not.</summary>
        public void Ring(uint port)
        {
            lock (_lock)
            {
                _ = _pending.Add(port);
                Wake();
            }
        }

        public uint BindInterdomain(int domain, uint remotePort)
        {
            lock (_lock)
            {
                uint port = ++_next;
                Bound[port] = domain;
                return port;
            }
        }

        public void Unbind(uint port) => Bound.TryRemove(port, out _);

        public void Notify(uint port) => Notified.AddOrUpdate(port, 1, (_, count) => count + 1);

        public int Read(Span<uint> ports)
        {
            lock (_lock)
            {
                Span<byte> count = stackalloc byte[8];
                _ = _ready.Read(count);
                uint[] ready = [.. _pending.Where(port => !Masked.Contains(port)).Take(ports.Length)];
                ready.CopyTo(ports);
                _pending.ExceptWith(ready);
                Masked.UnionWith(ready);
                return ready.Length;
            }
        }

        public void Unmask(uint port)
        {
            lock (_lock)
            {
                _ = Masked.Remove(port);
                Wake();
            }
        }

        public uint PortOf(int domid) => Bound.Single(pair => pair.Value == domid).Key;

        public void Dispose() => _ready.Dispose();

        private void Wake()
        {
            if (_pending.Any(port => !Masked.Contains(port)))
            {
                _ = _ready.Write(BitConverter.GetBytes(1UL));
            }
        }
    }

    private FakeRing Open(int domid, Guid uuid, string name)
    {
        FakeRing ring = new();
        _rings.Rings[(ulong)(1000 + domid)] = ring;
        string? terminal = _service.Open(domid, uuid, name, (ulong)(1000 + domid), 5);
        Assert.StartsWith("/dev/pts/", terminal);
        return ring;
    }

    private void Say(FakeRing ring, int domid, string text)
    {
        Assert.Equal(text.Length, ring.Say(text));
        _ports.Ring(_ports.PortOf(domid));
    }

    /// <summary>Somebody who watches, over a real connection.</summary>
    private FileDescriptor Watch(string name)
    {
        string path = _folder[$"socket-{Guid.NewGuid():N}"[..16]];
        using FileDescriptor listener = FileDescriptor.Listen(path, out _)!;
        FileDescriptor client = FileDescriptor.Connect(path, out _)!;
        FileDescriptor server = listener.Accept(out _)!;
        (Guid uuid, long position) = _service.Find(-1, name, null)!.Value;
        _service.Attach(uuid, server, position);
        return client;
    }

    private static string Read(FileDescriptor stream, Func<string, bool> until)
    {
        StringBuilder seen = new();
        byte[] buffer = new byte[4096];
        Stopwatch watch = Stopwatch.StartNew();
        while (!until(seen.ToString()) && watch.Elapsed < TimeSpan.FromSeconds(20))
        {
            if (!stream.WaitForInput(1000))
            {
                continue;
            }

            int count = stream.Read(buffer);
            if (count <= 0)
            {
                break;
            }

            _ = seen.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return seen.ToString();
    }

    private static string ReadAll(FileDescriptor stream) => Read(stream, _ => false);

    [Fact]
    public void Output_reaches_everybody_and_input_the_guest()
    {
        FakeRing ring = Open(1, _uuid, "guest");
        Say(ring, 1, "hello ");
        using FileDescriptor first = Watch("guest");
        using FileDescriptor second = Watch("guest");
        Say(ring, 1, "world");
        Assert.Equal("hello world", Read(first, text => text.Length >= 11));
        Assert.Equal("hello world", Read(second, text => text.Length >= 11));
        _ = first.Write("ls\n"u8);
        Assert.True(SpinWait.SpinUntil(() => ring.Shared.InProd == 3, 20_000));
        Assert.Equal("ls\n", ring.Hear());
        Assert.True(_ports.Notified[_ports.PortOf(1)] > 0);
    }

    [Fact]
    public void The_console_of_a_domain_that_is_gone_is_replayed_and_ends()
    {
        FakeRing ring = Open(2, _uuid, "guest");
        Assert.Equal(10, ring.Say("last words"));
        _service.Close(2, "the domain was destroyed", comesAgain: false);
        Assert.True(ring.Released > 0);
        Assert.Empty(_ports.Bound);
        using FileDescriptor late = Watch("guest");
        string seen = ReadAll(late);
        Assert.StartsWith("last words", seen);
        Assert.Contains("[the domain was destroyed]", seen);
        Assert.Null(_service.OpenUnlessKnown(2, _uuid, "guest", 1002, 5));
        Assert.Null(_service.Find(2, "nobody", null));
    }

    [Fact]
    public void Sessions_last_over_a_restart_and_end_when_the_domain_does_not_come_again()
    {
        FakeRing ring = Open(3, _uuid, "guest");
        using FileDescriptor viewer = Watch("guest");
        Say(ring, 3, "one");
        _service.Close(3, "it starts again", comesAgain: true);
        FakeRing next = Open(4, _uuid, "guest");
        Say(next, 4, "two");
        Assert.EndsWith("two", Read(viewer, text => text.EndsWith("two", StringComparison.Ordinal)));
        _service.Close(4, "it starts again", comesAgain: true);
        _service.GiveUp(_uuid, "no memory");
        Assert.EndsWith("[no memory]\r\n", ReadAll(viewer));
    }

    [Fact]
    public void A_guest_that_floods_is_held_back_and_the_others_are_served()
    {
        FakeRing flood = Open(5, _uuid, "flood");
        FakeRing quiet = Open(6, Guid.NewGuid(), "quiet");
        using FileDescriptor viewer = Watch("quiet");
        uint port = _ports.PortOf(5);
        Stopwatch watch = Stopwatch.StartNew();
        long written = 0;
        while (watch.ElapsedMilliseconds < 700)
        {
            written += flood.Say(new string('x', 2048));
            _ports.Ring(port);
        }

        double periods = watch.ElapsedMilliseconds / 100.0;
        Assert.InRange(written, 1, (long)((periods + 2) * 65 * 2048) + 4096);
        Say(quiet, 6, "still served");
        Assert.Equal("still served", Read(viewer, text => text.Length >= 12));
    }

    [Fact]
    public void A_ring_or_port_that_cannot_be_had_is_an_error_and_leaves_nothing()
    {
        _ = Assert.Throws<XenException>(() => _service.Open(7, _uuid, "guest", 77, 5));
        Assert.Empty(_ports.Bound);
        Assert.Empty(_service.Served());
    }

    [Fact]
    public void Impossible_indices_are_a_problem_that_can_be_asked_for()
    {
        FakeRing ring = Open(8, _uuid, "guest");
        ring.Shared.OutProd = 0x4000_0000;
        _ports.Ring(_ports.PortOf(8));
        Assert.True(SpinWait.SpinUntil(() => _service.Problems().Count > 0, 20_000));
        Assert.Contains("'guest' wrote impossible indices into its console ring", _service.Problems()[0]);
    }
}
