// SPDX-License-Identifier: MIT
//
// One thread serves all consoles: it waits on the event device, on everybody who watches, and for orders of the other
// threads. Each guest gets one ring's worth a turn and so many turns a period; one that floods its console waits until
// the period is over, with its event channel masked, and slows only itself.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Dom0.Toolstack;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Interop;
using Dom0.Xend.Api;
using Dom0.Xend.Domains;

namespace Dom0.Xend.Consoles;

/// <summary>Serves the consoles of all guests.</summary>
internal sealed unsafe class ConsoleService : IConsoles, IConsoleDirectory
{
    private const int TurnsPerPeriod = 64;
    private const int PeriodMilliseconds = 100;
    private const int EndedKept = 32;

    private readonly ConsoleFolders _folders;
    private readonly Action<string> _log;
    private readonly IHypercallChannel _channel;
    private readonly IEventPorts _events;
    private readonly FileDescriptor _wake;
    private readonly ConcurrentQueue<Action> _orders = new();
    private readonly Dictionary<Guid, ConsoleHub> _hubs = [];
    private readonly Dictionary<Guid, int> _turns = [];
    private readonly Queue<Guid> _ended = new();
    private readonly Dictionary<Guid, string> _terminals = [];

    // Numbers whose console was closed for good: whoever looks at the store a moment later must not open it again.
    private readonly HashSet<int> _closed = [];
    private long _periodEnd;

    /// <summary>Serves consoles over a channel of its own and the event device.</summary>
    public ConsoleService(ConsoleFolders folders, IHypercallChannel channel, IEventPorts events, Action<string> log)
    {
        _folders = folders;
        _channel = channel;
        _events = events;
        _log = log;
        _wake = FileDescriptor.Own(Libc.EventDescriptor(0, Libc.EventNonBlocking | Libc.EventCloseOnExec));
    }

    /// <summary>Starts the thread.</summary>
    public void Start() => new Thread(Loop) { IsBackground = true, Name = "consoles" }.Start();

    /// <inheritdoc/>
    public string? Open(int domid, Guid uuid, string name, ulong ringFrame, uint port) => Ask(() =>
    {
        _ = _closed.Remove(domid);
        return OpenHere(domid, uuid, name, ringFrame, port);
    });

    /// <summary>As <see cref="Open"/>, unless the console was closed or is served already; null then.</summary>
    public string? OpenUnlessKnown(int domid, Guid uuid, string name, ulong ringFrame, uint port) => Ask(() =>
        _closed.Contains(domid) || _hubs.Values.Any(hub => hub.Domid == domid)
            ? null
            : OpenHere(domid, uuid, name, ringFrame, port));

    /// <summary>The numbers of the domains whose consoles are served.</summary>
    public IReadOnlyList<int> Served() => Ask<IReadOnlyList<int>>(() =>
        [.. _hubs.Values.Where(hub => hub.Ring is not null).Select(hub => hub.Domid)]);

    /// <summary>What is wrong with consoles now, in sentences.</summary>
    public IReadOnlyList<string> Problems() => Ask<IReadOnlyList<string>>(() =>
    [
        .. _hubs.Values.Where(hub => hub.IsLogBroken).Select(
            hub => $"the console log of '{hub.Name}' cannot be written in {_folders.Logs}"),
        .. _hubs.Values.Where(hub => hub.Ring is { Faults: > 0 }).Select(
            hub => $"'{hub.Name}' wrote impossible indices into its console ring {hub.Ring!.Faults} times"),
    ]);

    /// <summary>Forgets closed numbers that no domain has any more.</summary>
    public void Prune(IReadOnlyCollection<int> existing) => Do(() => _closed.RemoveWhere(id => !existing.Contains(id)));

    /// <inheritdoc/>
    public void Close(int domid, string? notice, bool comesAgain) => Do(() =>
    {
        _ = _closed.Add(domid);
        foreach (ConsoleHub hub in _hubs.Values.Where(hub => hub.Domid == domid && domid >= 0).ToArray())
        {
            CloseHub(hub);
            if (notice is not null)
            {
                hub.Notice(notice);
            }

            if (!comesAgain)
            {
                End(hub);
            }
        }
    });

    /// <inheritdoc/>
    public void Dismiss(int domid, string notice) => Do(() =>
    {
        foreach (ConsoleHub hub in _hubs.Values.Where(hub => hub.Domid == domid))
        {
            _ = hub.Pump();
            hub.Notice(notice);
            hub.DismissViewers();
        }
    });

    /// <inheritdoc/>
    public void GiveUp(Guid uuid, string notice) => Do(() =>
    {
        if (_hubs.TryGetValue(uuid, out ConsoleHub? hub))
        {
            CloseHub(hub);
            hub.Notice(notice);
            End(hub);
        }
    });

    /// <inheritdoc/>
    public void Rename(int domid, Guid uuid, string name) => Do(() =>
    {
        if (_hubs.Values.FirstOrDefault(hub => hub.Domid == domid) is { } hub)
        {
            _ = _hubs.Remove(hub.Uuid);
            hub.Rename(uuid, name);
            _hubs[uuid] = hub;
        }
    });

    /// <summary>
    /// Finds the console of a domain by number or name, be the domain there or gone; null when nothing is known of it.
    /// </summary>
    public (Guid Uuid, long Position)? Find(int domid, string name, long? since) => Ask<(Guid, long)?>(() =>
    {
        ConsoleHub? hub = _hubs.Values.FirstOrDefault(hub => domid >= 0 && hub.Domid == domid)
            ?? _hubs.Values.LastOrDefault(hub => hub.Name == name);
        return hub is null ? null : (hub.Uuid, Math.Clamp(since ?? hub.Oldest, hub.Oldest, hub.Position));
    });

    /// <summary>Hands a connection over to the one who serves the console; of a domain that is gone it gets the rest.</summary>
    public void Attach(Guid uuid, FileDescriptor connection, long since) => Do(() =>
    {
        if (!_hubs.TryGetValue(uuid, out ConsoleHub? hub))
        {
            connection.Dispose();
            return;
        }

        StreamViewer viewer = new(connection);
        hub.Add(viewer, since);
        hub.Serve(viewer);
        if (_ended.Contains(uuid))
        {
            hub.RemoveViewers();
        }
    });

    private void Do(Action order) => _ = Ask(() =>
    {
        order();
        return true;
    });

    private T Ask<T>(Func<T> question)
    {
        TaskCompletionSource<T> answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _orders.Enqueue(() =>
        {
            try
            {
                answer.SetResult(question());
            }
            catch (Exception failure)
            {
                answer.SetException(failure);
            }
        });
        _ = _wake.Write(BitConverter.GetBytes(1UL));
        return answer.Task.GetAwaiter().GetResult();
    }

    private string? OpenHere(int domid, Guid uuid, string name, ulong ringFrame, uint port)
    {
        if (!_hubs.TryGetValue(uuid, out ConsoleHub? hub))
        {
            // A domain that takes a name over takes its log over: the one before it is history.
            foreach (ConsoleHub old in _hubs.Values.Where(other => other.Name == name && other.Ring is null).ToArray())
            {
                Drop(old);
            }

            hub = new ConsoleHub(_folders, uuid, name);
            _hubs.Add(uuid, hub);
        }

        // A domain that was saved and is restored comes back from its end.
        ForgetEnd(uuid);
        CloseHub(hub);
        NativeRegion page = _channel.MapFrames((ushort)domid, [ringFrame]);
        try
        {
            hub.Open(domid, new ConsoleRing(page), _events.BindInterdomain(domid, port));
        }
        catch
        {
            page.Dispose();
            throw;
        }

        if (!hub.Viewers.Any(viewer => viewer.IsPermanent))
        {
            try
            {
                PseudoTerminal terminal = PseudoTerminal.Create();
                hub.Add(new StreamViewer(terminal), hub.Position);
                _terminals[uuid] = terminal.Path;
            }
            catch (ToolstackException failure)
            {
                _log($"the console of '{name}' has no terminal: {failure.Message}");
            }
        }

        // What the guest wrote before the event channel was bound raised no event.
        Turn(hub);
        return _terminals.GetValueOrDefault(uuid);
    }

    private void CloseHub(ConsoleHub hub)
    {
        uint port = hub.Port;
        hub.Close();
        if (port != 0)
        {
            _events.Unbind(port);
        }
    }

    /// <summary>The domain is gone for good; what it said stays for a while.</summary>
    private void End(ConsoleHub hub)
    {
        hub.RemoveViewers();
        _ = _terminals.Remove(hub.Uuid);
        if (!_ended.Contains(hub.Uuid))
        {
            _ended.Enqueue(hub.Uuid);
        }

        if (_ended.Count > EndedKept && _hubs.TryGetValue(_ended.Peek(), out ConsoleHub? oldest))
        {
            Drop(oldest);
        }
    }

    private void Drop(ConsoleHub hub)
    {
        hub.RemoveViewers();
        _ = _hubs.Remove(hub.Uuid);
        _ = _turns.Remove(hub.Uuid);
        _ = _terminals.Remove(hub.Uuid);
        ForgetEnd(hub.Uuid);
    }

    private void ForgetEnd(Guid uuid)
    {
        Guid[] kept = [.. _ended.Where(ended => ended != uuid)];
        _ended.Clear();
        Array.ForEach(kept, _ended.Enqueue);
    }

    /// <summary>One turn of a guest; its port is unmasked unless it has used its turns up.</summary>
    private void Turn(ConsoleHub hub)
    {
        if (hub.Ring is null)
        {
            return;
        }

        int turns = _turns.GetValueOrDefault(hub.Uuid) + 1;
        _turns[hub.Uuid] = turns;
        if (hub.Pump())
        {
            _events.Notify(hub.Port);
        }

        foreach (ConsoleViewer viewer in hub.Viewers.ToArray())
        {
            hub.Serve(viewer);
        }

        if (turns < TurnsPerPeriod)
        {
            _events.Unmask(hub.Port);
        }
    }

    private void Loop()
    {
        List<(ConsoleHub Hub, ConsoleViewer Viewer)> watched = [];
        uint[] ports = new uint[64];
        Libc.PollEntry[] entries = [];
        while (true)
        {
            watched.Clear();
            foreach (ConsoleHub hub in _hubs.Values)
            {
                watched.AddRange(hub.Viewers.Select(viewer => (hub, viewer)));
            }

            if (entries.Length < watched.Count + 2)
            {
                entries = new Libc.PollEntry[(watched.Count * 2) + 2];
            }

            entries[0] = new() { Descriptor = _wake.Number, Events = Libc.PollIn };
            entries[1] = new() { Descriptor = _events.Number, Events = Libc.PollIn };
            for (int index = 0; index < watched.Count; index++)
            {
                (ConsoleHub hub, ConsoleViewer viewer) = watched[index];
                int wanted = (hub.TakesInput ? Libc.PollIn : 0) | (hub.HasOutputFor(viewer) ? Libc.PollOut : 0);
                entries[index + 2] = new() { Descriptor = viewer.Descriptor, Events = (short)wanted };
            }

            Wait(entries, watched.Count + 2);
            try
            {
                Serve(entries, watched, ports);
            }
            catch (ToolstackException failure)
            {
                _log($"consoles: {failure.Message}");
            }
        }
    }

    private void Wait(Libc.PollEntry[] entries, int count)
    {
        bool isSomebodyHeld = _turns.Values.Any(turns => turns >= TurnsPerPeriod);
        int limit = isSomebodyHeld ? (int)Math.Clamp(_periodEnd - Environment.TickCount64, 0, PeriodMilliseconds) : -1;
        fixed (Libc.PollEntry* first = entries)
        {
            _ = Libc.Poll(first, (nuint)count, limit);
        }

        if (Environment.TickCount64 < _periodEnd)
        {
            return;
        }

        _periodEnd = Environment.TickCount64 + PeriodMilliseconds;
        Guid[] held = [.. _turns.Where(pair => pair.Value >= TurnsPerPeriod).Select(pair => pair.Key)];
        _turns.Clear();
        foreach (Guid uuid in held)
        {
            if (_hubs.TryGetValue(uuid, out ConsoleHub? hub))
            {
                Turn(hub);
            }
        }
    }

    private void Serve(
        Libc.PollEntry[] entries, List<(ConsoleHub Hub, ConsoleViewer Viewer)> watched, uint[] ports)
    {
        if ((entries[1].Returned & Libc.PollIn) != 0)
        {
            int count = _events.Read(ports);
            foreach (uint port in ports.AsSpan(0, count))
            {
                if (_hubs.Values.FirstOrDefault(hub => hub.Port == port) is { } hub)
                {
                    Turn(hub);
                }
            }
        }

        for (int index = 0; index < watched.Count; index++)
        {
            (ConsoleHub hub, ConsoleViewer viewer) = watched[index];
            short returned = entries[index + 2].Returned;
            if (returned != 0 && hub.Viewers.Contains(viewer))
            {
                ServeViewer(hub, viewer, returned);
            }
        }

        if ((entries[0].Returned & Libc.PollIn) != 0)
        {
            Span<byte> count = stackalloc byte[sizeof(ulong)];
            _ = _wake.Read(count);
            while (_orders.TryDequeue(out Action? order))
            {
                order();
            }
        }
    }

    private void ServeViewer(ConsoleHub hub, ConsoleViewer viewer, short returned)
    {
        Span<byte> typed = stackalloc byte[1024];
        if ((returned & Libc.PollIn) != 0)
        {
            int count = viewer.Read(typed);
            if (count < 0)
            {
                hub.Remove(viewer);
                return;
            }

            hub.Input(typed[..count]);
            if (hub.FeedInput())
            {
                _events.Notify(hub.Port);
            }
        }
        else if ((returned & (Libc.PollHangUp | Libc.PollError)) != 0)
        {
            hub.Remove(viewer);
            return;
        }

        hub.Serve(viewer);
    }
}
