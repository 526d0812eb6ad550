// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Events;
using Xen.Abi;

namespace Hypervisor.Core.Tests.Events;

/// <summary>Domain-0 and two guests, and event_channel_op as each would make it.</summary>
internal sealed unsafe class EventBench : IDisposable
{
    private readonly Mfn[] _arguments = new Mfn[16];

    public EventBench(uint cpus = 1)
    {
        Domains = new DomainBench(cpus);
        Blue = Domains.AddDomain(1);
        Green = Domains.AddDomain(2);
    }

    public DomainBench Domains { get; }

    public Domain* Dom0 => Domains.Dom0;

    public Domain* Blue { get; }

    public Domain* Green { get; }

    public CpuUserRegs Frame { get; private set; }

    public static VcpuInfo* Info(Domain* domain, uint vcpu = 0) => domain->VcpuOf(vcpu)->Info;

    public static bool IsPending(Domain* domain, uint port) => EventChannels.IsPending(domain, port);

    public static void Mask(Domain* domain, uint port) =>
        domain->SharedInfo->EventChannelMask[port >> 6] |= 1ul << (int)(port & 63);

    /// <summary>The guest takes note of everything.</summary>
    public static void ClearEvents(Domain* domain)
    {
        for (int word = 0; word < 64; word++)
        {
            domain->SharedInfo->EventChannelPending[word] = 0;
        }

        for (uint vcpu = 0; vcpu < domain->MaxVcpuCount; vcpu++)
        {
            Info(domain, vcpu)->EventChannelPendingSel = 0;
            Info(domain, vcpu)->EventChannelUpcallPending = 0;
        }
    }

    /// <summary>The vCPU was told of a port in this word, and has an upcall to take.</summary>
    public static bool IsTold(Domain* domain, uint port, uint vcpu = 0) =>
        (Info(domain, vcpu)->EventChannelPendingSel >> (int)(port >> 6) & 1) != 0
        && Info(domain, vcpu)->EventChannelUpcallPending != 0;

    /// <summary>Makes the hypercall; the structure is read back.</summary>
    public long Call<T>(Domain* domain, EventChannelCommand command, ref T argument)
        where T : unmanaged
    {
        Mfn frame = ArgumentOf(domain);
        long result = CallAt(domain, command, DomainBench.Put(frame, argument));
        argument = DomainBench.Get<T>(frame);
        return result;
    }

    public long CallAt(Domain* domain, EventChannelCommand command, ulong address)
    {
        CpuUserRegs frame = default;
        long result = EventChannelOps.Dispatch(domain->VcpuOf(0), (uint)command, address, &frame).Raw;
        Frame = frame;
        return result;
    }

    public long AllocateUnbound(Domain* caller, ushort owner, ushort remote, out uint port)
    {
        EventChannelAllocUnbound request = new() { Dom = new DomId(owner), RemoteDom = new DomId(remote) };
        long result = Call(caller, EventChannelCommand.AllocUnbound, ref request);
        port = request.Port.Raw;
        return result;
    }

    public long BindInterdomain(Domain* caller, ushort remote, uint remotePort, out uint port)
    {
        EventChannelBindInterdomain request = new()
        {
            RemoteDom = new DomId(remote),
            RemotePort = new EventPort(remotePort),
        };
        long result = Call(caller, EventChannelCommand.BindInterdomain, ref request);
        port = request.LocalPort.Raw;
        return result;
    }

    /// <summary>A channel between the two guests, nothing pending.</summary>
    public (uint Blue, uint Green) Join()
    {
        Check(AllocateUnbound(Blue, 0x7FF0, Green->Id, out uint blue));
        Check(BindInterdomain(Green, Blue->Id, blue, out uint green));
        ClearEvents(Green);
        return (blue, green);
    }

    public long BindVirq(Domain* caller, Xen.Abi.VirtualIrq virq, uint vcpu, out uint port)
    {
        EventChannelBindVirq request = new() { Virq = (uint)virq, Vcpu = vcpu };
        long result = Call(caller, EventChannelCommand.BindVirq, ref request);
        port = request.Port.Raw;
        return result;
    }

    public long BindIpi(Domain* caller, uint vcpu, out uint port)
    {
        EventChannelBindIpi request = new() { Vcpu = vcpu };
        long result = Call(caller, EventChannelCommand.BindIpi, ref request);
        port = request.Port.Raw;
        return result;
    }

    public long BindPirq(Domain* caller, uint pirq, out uint port)
    {
        EventChannelBindPirq request = new() { Pirq = pirq };
        long result = Call(caller, EventChannelCommand.BindPirq, ref request);
        port = request.Port.Raw;
        return result;
    }

    public long BindVcpu(Domain* caller, uint port, uint vcpu)
    {
        EventChannelBindVcpu request = new() { Port = new EventPort(port), Vcpu = vcpu };
        return Call(caller, EventChannelCommand.BindVcpu, ref request);
    }

    public long Send(Domain* caller, uint port) => Call(caller, EventChannelCommand.Send, ref port);

    public long Close(Domain* caller, uint port) => Call(caller, EventChannelCommand.Close, ref port);

    public long Unmask(Domain* caller, uint port) => Call(caller, EventChannelCommand.Unmask, ref port);

    public long Status(Domain* caller, ushort domain, uint port, out EventChannelStatus status)
    {
        status = new EventChannelStatus { Dom = new DomId(domain), Port = new EventPort(port) };
        return Call(caller, EventChannelCommand.Status, ref status);
    }

    public EventChannelState StateOf(Domain* domain, uint port)
    {
        Check(Status(domain, 0x7FF0, port, out EventChannelStatus status));
        return (EventChannelState)status.Status;
    }

    public void Dispose() => Domains.Dispose();

    private static void Check(long result) => Xunit.Assert.Equal(0, result);

    private Mfn ArgumentOf(Domain* domain)
    {
        ref Mfn frame = ref _arguments[domain->Id];
        if (frame.Raw == 0)
        {
            frame = DomainBench.AddFrame(domain);
        }

        return frame;
    }
}
