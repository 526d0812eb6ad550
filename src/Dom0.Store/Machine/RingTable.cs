// SPDX-License-Identifier: MIT
//
// Rings take turns: an event puts a ring at the end of the line, its turn is a few requests, and if more wait it goes
// to the end of the line again. A guest that floods its ring waits for itself.
using System.Collections.Generic;
using Dom0.Store.Connections;
using Dom0.Toolstack.Interop;

namespace Dom0.Store.Machine;

/// <summary>The rings of all domains.</summary>
public sealed class RingTable : IDomainHost
{
    /// <summary>Requests that a connection may make in one turn.</summary>
    public const int Turn = 8;

    private readonly IXenInterface _xen;
    private readonly Dictionary<ushort, (RingChannel Channel, uint Port)> _channels = [];
    private readonly Dictionary<uint, RingChannel> _byPort = [];
    private readonly Queue<RingChannel> _line = new();
    private readonly HashSet<RingChannel> _inLine = [];
    private StoreServer? _server;
    private bool _isRecovering;

    /// <summary>A table without rings.</summary>
    public RingTable(IXenInterface xen) => _xen = xen;

    /// <summary>Does a ring wait for its turn?</summary>
    public bool HasWork => _line.Count != 0;

    /// <summary>Says who answers. Before that no ring can be attached.</summary>
    public void Connect(StoreServer server) => _server = server;

    /// <summary>Takes hold of the rings that a loaded state knows.</summary>
    public void Reattach()
    {
        _isRecovering = true;
        _server!.State.Reattach();
        _isRecovering = false;
    }

    /// <inheritdoc/>
    public DomainCondition Condition(ushort domain) => _xen.Condition(domain);

    /// <inheritdoc/>
    public StoreErrno Attach(StoreDomain domain)
    {
        NativeRegion? page = _xen.MapRing(domain.Id, domain.Frame);
        if (page is null)
        {
            return StoreErrno.Invalid;
        }

        uint? port = _xen.Bind(domain.Id, domain.Port);
        if (port is null)
        {
            page.Dispose();
            return StoreErrno.Invalid;
        }

        RingChannel channel = new(_server!, domain, new StoreRing(page), () => _xen.Notify(PortOf(domain)));
        _channels[domain.Id] = (channel, port.Value);
        _byPort[port.Value] = channel;
        domain.Connection.Channel = channel;
        if (_isRecovering)
        {
            channel.Resume();
        }
        else
        {
            channel.Begin();
        }

        // What came before the port was bound made no event.
        Enqueue(channel);
        return StoreErrno.Ok;
    }

    /// <inheritdoc/>
    public StoreErrno Rebind(StoreDomain domain)
    {
        (RingChannel channel, uint former) = _channels[domain.Id];
        uint? port = _xen.Bind(domain.Id, domain.Port);
        if (port is null)
        {
            return StoreErrno.Invalid;
        }

        _ = _byPort.Remove(former);
        _xen.Unbind(former);
        _channels[domain.Id] = (channel, port.Value);
        _byPort[port.Value] = channel;
        Enqueue(channel);
        return StoreErrno.Ok;
    }

    /// <inheritdoc/>
    public void ResetRing(StoreDomain domain) => _channels[domain.Id].Channel.Reset();

    /// <inheritdoc/>
    public void Detach(StoreDomain domain)
    {
        if (_channels.Remove(domain.Id, out (RingChannel Channel, uint Port) gone))
        {
            _ = _byPort.Remove(gone.Port);
            _ = _inLine.Remove(gone.Channel);
            domain.Connection.Channel = null;
            _xen.Unbind(gone.Port);
            gone.Channel.Close();
        }
    }

    /// <summary>An event came; the ring of the port gets a turn, if it is not gone in the meantime.</summary>
    public void Signal(uint localPort)
    {
        if (_byPort.TryGetValue(localPort, out RingChannel? channel))
        {
            Enqueue(channel);
        }
    }

    /// <summary>One turn for each ring that is in line now.</summary>
    public void ServeRound()
    {
        for (int count = _line.Count; count > 0; count--)
        {
            RingChannel channel = _line.Dequeue();
            if (!_inLine.Remove(channel))
            {
                // Detached in the meantime.
                continue;
            }

            // Before the look into the ring: an event that comes after it must not be lost.
            _xen.Unmask(PortOf(channel.Domain));
            if (channel.Serve(Turn))
            {
                Enqueue(channel);
            }
        }
    }

    private uint PortOf(StoreDomain domain) => _channels[domain.Id].Port;

    private void Enqueue(RingChannel channel)
    {
        if (_inLine.Add(channel))
        {
            _line.Enqueue(channel);
        }
    }
}
