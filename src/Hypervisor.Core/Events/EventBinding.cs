// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Binds ports and lets them go. Locking and states: see <see cref="EventPorts"/>.</summary>
public static unsafe class EventBinding
{
    /// <summary>A port of <paramref name="owner"/> to which the domain numbered <paramref name="remote"/> may
    /// bind.</summary>
    public static Errno Unbound(Domain* owner, ushort remote, out uint port)
    {
        owner->Events.Lock.Acquire();
        Errno error = EventPorts.Allocate(owner, out port);
        if (error == Errno.Ok)
        {
            EventChannel* channel = EventPorts.At(owner, port);
            channel->Number = remote;
            channel->State = PortState.Unbound;
        }

        owner->Events.Lock.Release();
        return error;
    }

    /// <summary>A port of <paramref name="local"/> joined to one that waits for it.</summary>
    /// <returns>Inval: the remote port does not wait for this domain; others as EventPorts.Allocate.</returns>
    public static Errno Interdomain(Domain* local, Domain* remote, uint remotePort, out uint port)
    {
        port = 0;
        EventPorts.AcquireBoth(local, remote);
        EventChannel* other = EventPorts.Find(remote, remotePort);
        Errno error = Errno.Inval;
        if (other != null && other->State == PortState.Unbound && other->Number == local->Id)
        {
            error = EventPorts.Allocate(local, out port);
        }

        if (error == Errno.Ok)
        {
            EventChannel* channel = EventPorts.At(local, port);
            channel->Number = remotePort;
            channel->Peer = remote;
            other->Number = port;
            other->Peer = local;
            channel->State = PortState.Interdomain;
            other->State = PortState.Interdomain;

            // The peer may have sent before anyone could hear it.
            EventDelivery.SetPending(local, channel, port);
        }

        EventPorts.ReleaseBoth(local, remote);
        return error;
    }

    /// <returns>Inval: no such interrupt, or a global one elsewhere than on vCPU 0. NoEnt: no such vCPU. Exist:
    /// bound.</returns>
    public static Errno Virq(Domain* domain, uint virq, uint vcpuId, out uint port)
    {
        port = 0;
        if (virq >= VirtualIrqLimits.Count || (vcpuId != 0 && VirtualIrq.IsGlobal(virq)))
        {
            return Errno.Inval;
        }

        Vcpu* vcpu = domain->VcpuOf(vcpuId);
        if (vcpu == null)
        {
            return Errno.NoEnt;
        }

        virq = GuestIndex.Mask(virq, VirtualIrqLimits.Count);
        domain->Events.Lock.Acquire();
        Errno error = vcpu->Events.VirqPorts[virq] == 0 ? EventPorts.Allocate(domain, out port) : Errno.Exist;
        if (error == Errno.Ok)
        {
            Complete(domain, port, PortState.Virq, virq, vcpuId);
            vcpu->Events.VirqPorts[virq] = port;
        }

        domain->Events.Lock.Release();
        return error;
    }

    public static Errno Ipi(Domain* domain, uint vcpuId, out uint port)
    {
        port = 0;
        if (domain->VcpuOf(vcpuId) == null)
        {
            return Errno.NoEnt;
        }

        domain->Events.Lock.Acquire();
        Errno error = EventPorts.Allocate(domain, out port);
        if (error == Errno.Ok)
        {
            Complete(domain, port, PortState.Ipi, 0, vcpuId);
        }

        domain->Events.Lock.Release();
        return error;
    }

    /// <returns>Exist: the domain has bound it already; others as the routing of the interrupt says.</returns>
    public static Errno Pirq(Domain* domain, uint pirq, bool share, out uint port)
    {
        domain->Events.Lock.Acquire();
        Errno error = EventPorts.Allocate(domain, out port);
        domain->Events.Lock.Release();
        if (error != Errno.Ok)
        {
            return error;
        }

        // Reserved until routed: nobody can close it meanwhile, though it delivers already.
        error = PirqHooks.Bind(domain, pirq, port, share);
        domain->Events.Lock.Acquire();
        if (error == Errno.Ok)
        {
            EventPorts.At(domain, port)->State = PortState.Pirq;
        }
        else
        {
            EventPorts.Free(domain, port);
        }

        domain->Events.Lock.Release();
        return error;
    }

    /// <summary>Lets events on the port be told to another vCPU.</summary>
    /// <returns>NoEnt: no such vCPU. Inval: no such port, or one that stays where it was bound.</returns>
    public static Errno MoveToVcpu(Domain* domain, uint port, uint vcpuId)
    {
        if (domain->VcpuOf(vcpuId) == null)
        {
            return Errno.NoEnt;
        }

        domain->Events.Lock.Acquire();
        EventChannel* channel = EventPorts.Find(domain, port);
        Errno error = channel != null && MayMove(channel) ? Errno.Ok : Errno.Inval;
        uint pirq = PirqHooks.Limit;
        if (error == Errno.Ok)
        {
            channel->NotifyVcpu = (byte)vcpuId;
            pirq = channel->State == PortState.Pirq ? channel->Number : pirq;
        }

        domain->Events.Lock.Release();
        if (pirq != PirqHooks.Limit)
        {
            PirqHooks.Follow(domain, pirq, domain->VcpuOf(vcpuId));
        }

        return error;
    }

    /// <returns>Inval: the port is not bound.</returns>
    public static Errno Close(Domain* domain, uint port)
    {
        while (true)
        {
            domain->Events.Lock.Acquire();
            EventChannel* channel = EventPorts.Find(domain, port);
            PortState state = channel == null ? PortState.Free : channel->State;
            switch (state)
            {
                case PortState.Free:
                case PortState.Reserved:
                    domain->Events.Lock.Release();
                    return Errno.Inval;
                case PortState.Interdomain when !TryPart(domain, channel):
                    // The peer's lock comes first and is taken.
                    domain->Events.Lock.Release();
                    Machine.SpinWait();
                    continue;
                case PortState.Virq:
                    Vcpu* vcpu = domain->VcpuOf(VirtualIrq.IsGlobal(channel->Number) ? 0u : channel->NotifyVcpu);
                    vcpu->Events.VirqPorts[channel->Number] = 0;
                    break;
                case PortState.Pirq:
                    // The interrupt's lock comes before this one.
                    channel->State = PortState.Reserved;
                    domain->Events.Lock.Release();
                    PirqHooks.Unbind(domain, channel->Number);
                    domain->Events.Lock.Acquire();
                    break;
                default:
                    break;
            }

            EventPorts.Free(domain, port);
            domain->Events.Lock.Release();
            return Errno.Ok;
        }
    }

    /// <returns>Inval: no such port.</returns>
    /// <remarks>Precondition: the caller runs on a vCPU of the domain.</remarks>
    public static Errno Unmask(Domain* domain, uint port)
    {
        EventChannel* channel = EventPorts.Find(domain, port);
        if (channel == null)
        {
            return Errno.Inval;
        }

        EventDelivery.Unmask(domain, channel, port);
        if (channel->State == PortState.Pirq)
        {
            PirqHooks.OnUnmask(domain, channel->Number);
        }

        return Errno.Ok;
    }

    /// <summary>EVTCHNOP_status: port in, everything else out.</summary>
    internal static Errno Describe(Domain* domain, EventChannelStatus* status)
    {
        uint port = status->Port.Raw;
        domain->Events.Lock.Acquire();
        EventChannel* channel = EventPorts.Find(domain, port);
        if (channel == null)
        {
            domain->Events.Lock.Release();
            return Errno.Inval;
        }

        status->Status = (uint)EventChannelState.Closed;
        status->Vcpu = channel->NotifyVcpu;
        switch (channel->State)
        {
            case PortState.Unbound:
                status->Status = (uint)EventChannelState.Unbound;
                status->UnboundDom = new DomId((ushort)channel->Number);
                break;
            case PortState.Interdomain:
                status->Status = (uint)EventChannelState.Interdomain;
                status->InterdomainDom = new DomId(channel->Peer->Id);
                status->InterdomainPort = new EventPort(channel->Number);
                break;
            case PortState.Pirq:
                status->Status = (uint)EventChannelState.Pirq;
                status->Pirq = channel->Number;
                break;
            case PortState.Virq:
                status->Status = (uint)EventChannelState.Virq;
                status->Virq = channel->Number;
                break;
            case PortState.Ipi:
                status->Status = (uint)EventChannelState.Ipi;
                break;
            default:
                break;
        }

        domain->Events.Lock.Release();
        return Errno.Ok;
    }

    private static void Complete(Domain* domain, uint port, PortState state, uint number, uint vcpuId)
    {
        EventChannel* channel = EventPorts.At(domain, port);
        channel->Number = number;
        channel->NotifyVcpu = (byte)vcpuId;
        channel->State = state;
    }

    private static bool MayMove(EventChannel* channel) => channel->State switch
    {
        PortState.Unbound or PortState.Interdomain or PortState.Pirq => true,
        PortState.Virq => VirtualIrq.IsGlobal(channel->Number),
        _ => false,
    };

    /// <summary>Makes the peer's port wait for this domain again. False: its lock cannot be had now.</summary>
    /// <remarks>The peer exists while this domain's lock is held and the port is joined to it.</remarks>
    private static bool TryPart(Domain* domain, EventChannel* channel)
    {
        Domain* peer = channel->Peer;
        if (peer > domain)
        {
            peer->Events.Lock.Acquire();
        }
        else if (peer != domain && !peer->Events.Lock.TryAcquire())
        {
            return false;
        }

        EventChannel* other = EventPorts.At(peer, channel->Number);
        other->State = PortState.Unbound;
        other->Number = domain->Id;
        other->Peer = null;
        if (peer != domain)
        {
            peer->Events.Lock.Release();
        }

        return true;
    }
}
