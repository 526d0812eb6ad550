// SPDX-License-Identifier: MIT
//
// One guest's console: from its ring into the log, then to everybody who watches. A byte leaves the ring when the log
// has it. Those who watch each have a position in the last bytes of the stream, so a slow one holds up nobody, and one
// who comes late begins as far back as is kept. The hub outlives the domain: a restart gives it a new ring, and after
// the domain's death it still shows what was said.
using System;
using System.Collections.Generic;
using System.Text;
using Dom0.Toolstack.Console;

namespace Dom0.Xend.Consoles;

/// <summary>Where the hub finds and leaves its files.</summary>
internal sealed record ConsoleFolders(string Logs, string States);

/// <summary>The console of one guest.</summary>
internal sealed class ConsoleHub
{
    /// <summary>How much of the stream is kept for those who come late.</summary>
    public const int ReplaySize = 64 * 1024;

    /// <summary>Largest log file; one older file of that size is kept beside it.</summary>
    public const long LogLimit = 1024 * 1024;

    private const int InputLimit = 4096;

    private readonly ConsoleFolders _folders;
    private readonly List<ConsoleViewer> _viewers = [];
    private readonly Queue<byte> _input = new();
    private readonly ConsoleLog _log;
    private readonly ReplayBuffer _replay;
    private readonly long _start;

    /// <summary>Goes on with the console of a name where an earlier daemon stopped, if it was the same domain's.</summary>
    public ConsoleHub(ConsoleFolders folders, Guid uuid, string name)
    {
        _folders = folders;
        Uuid = uuid;
        Name = name;
        ConsoleState? known = ConsoleState.TryRead(folders.States, name);
        _log = new ConsoleLog(folders.Logs, name, LogLimit, known?.Base ?? 0);
        _start = known is not null && known.Uuid == uuid ? known.Start : _log.End;
        int kept = (int)Math.Clamp(_log.End - _start, 0, Math.Min(ReplaySize, _log.Length));
        byte[] tail = ConsoleLog.Tail(folders.Logs, name, kept);
        _replay = new ReplayBuffer(ReplaySize, _log.End - tail.Length);
        _replay.Append(tail);
        Remember();
    }

    /// <summary>Whose console.</summary>
    public Guid Uuid { get; private set; }

    /// <summary>The guest's name.</summary>
    public string Name { get; private set; }

    /// <summary>The guest's number while it has a ring; otherwise -1.</summary>
    public int Domid { get; private set; } = -1;

    /// <summary>This side's port of the guest's event channel.</summary>
    public uint Port { get; private set; }

    /// <summary>The ring, while there is one.</summary>
    public ConsoleRing? Ring { get; private set; }

    /// <summary>Could the log not be written the last time?</summary>
    public bool IsLogBroken => _log.IsBroken;

    /// <summary>Everybody who watches.</summary>
    public IReadOnlyList<ConsoleViewer> Viewers => _viewers;

    /// <summary>Is there room for more input?</summary>
    public bool TakesInput => Ring is null || _input.Count < InputLimit;

    /// <summary>Position behind the newest byte.</summary>
    public long Position => _replay.End;

    /// <summary>Position of the oldest byte that can be had.</summary>
    public long Oldest => _replay.Start;

    /// <summary>Serves a ring from now on; what is left of an earlier one must be closed.</summary>
    public void Open(int domid, ConsoleRing ring, uint port)
    {
        Domid = domid;
        Ring = ring;
        Port = port;
        _input.Clear();
    }

    /// <summary>Takes what the ring still holds and lets go of it.</summary>
    public void Close()
    {
        if (Ring is null)
        {
            return;
        }

        // At most one ring's worth: a guest that writes on must not keep its own end from coming.
        _ = Pump();
        Ring.Dispose();
        Ring = null;
        Domid = -1;
        Port = 0;
    }

    /// <summary>
    /// Moves what the guest has written, up to one ring's worth, and as much input as finds room. True when anything
    /// moved, which the guest wants to hear of.
    /// </summary>
    public bool Pump()
    {
        if (Ring is null)
        {
            return false;
        }

        Span<byte> buffer = stackalloc byte[2048];
        int count = Ring.Peek(buffer);
        if (count > 0)
        {
            Show(buffer[..count]);
            Ring.Consume(count);
        }

        return FeedInput() || count > 0;
    }

    /// <summary>Takes input for the guest; what finds no room is lost, as on any line without flow control.</summary>
    public void Input(ReadOnlySpan<byte> data)
    {
        foreach (byte value in data)
        {
            if (_input.Count >= InputLimit)
            {
                break;
            }

            _input.Enqueue(value);
        }
    }

    /// <summary>Moves input into the ring; true when any found room.</summary>
    public bool FeedInput()
    {
        if (Ring is null || _input.Count == 0)
        {
            return false;
        }

        byte[] waiting = [.. _input];
        int taken = Ring.Write(waiting);
        for (int index = 0; index < taken; index++)
        {
            _ = _input.Dequeue();
        }

        return taken > 0;
    }

    /// <summary>Adds somebody who watches from a position on; without one, from the oldest byte that is kept.</summary>
    public void Add(ConsoleViewer viewer, long? since)
    {
        viewer.Position = Math.Clamp(since ?? _replay.Start, _replay.Start, _replay.End);
        _viewers.Add(viewer);
    }

    /// <summary>Removes somebody.</summary>
    public void Remove(ConsoleViewer viewer)
    {
        _ = _viewers.Remove(viewer);
        viewer.Dispose();
    }

    /// <summary>Is there something that the viewer has not been given yet?</summary>
    public bool HasOutputFor(ConsoleViewer viewer) => viewer.Position < _replay.End;

    /// <summary>Gives a viewer what it takes without waiting; one that is broken goes.</summary>
    public void Serve(ConsoleViewer viewer)
    {
        while (HasOutputFor(viewer))
        {
            long position = viewer.Position;
            ReadOnlySpan<byte> bytes = _replay.From(ref position);
            int written = viewer.Write(bytes);
            viewer.Position = position + Math.Max(written, 0);
            if (written < 0)
            {
                Remove(viewer);
                return;
            }

            if (written < bytes.Length)
            {
                return;
            }
        }
    }

    /// <summary>Tells those who watch, and the log, something that the guest did not say.</summary>
    public void Notice(string sentence) => Show(Encoding.UTF8.GetBytes($"\r\n[{sentence}]\r\n"));

    /// <summary>Ends the sessions of those who attached for as long as the domain lives.</summary>
    public void DismissViewers()
    {
        foreach (ConsoleViewer viewer in _viewers.ToArray())
        {
            Serve(viewer);
            if (!viewer.IsPermanent)
            {
                Remove(viewer);
            }
        }
    }

    /// <summary>Ends all sessions.</summary>
    public void RemoveViewers()
    {
        foreach (ConsoleViewer viewer in _viewers.ToArray())
        {
            Serve(viewer);
            if (_viewers.Contains(viewer))
            {
                Remove(viewer);
            }
        }
    }

    /// <summary>The guest goes by another name, and its log with it.</summary>
    public void Rename(Guid uuid, string name)
    {
        Uuid = uuid;
        if (name != Name)
        {
            Name = name;
            _log.MoveTo(_folders.Logs, name);
        }

        Remember();
    }

    private void Show(ReadOnlySpan<byte> data)
    {
        if (_log.Append(data))
        {
            Remember();
        }

        _replay.Append(data);
    }

    private void Remember() =>
        _ = new ConsoleState { Uuid = Uuid, Base = _log.Base, Start = _start }.TryWrite(_folders.States, Name);
}
