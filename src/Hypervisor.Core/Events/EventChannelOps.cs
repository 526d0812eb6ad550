// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Hypercall event_channel_op: decodes and writes back; the work is done in the classes beside.</summary>
public static unsafe class EventChannelOps
{
    /// <param name="argument">Guest address of the sub-operation's structure.</param>
    public static HypercallResult Dispatch(Vcpu* current, uint command, ulong argument, CpuUserRegs* frame)
    {
        if (command == (uint)EventChannelCommand.Send)
        {
            return Send(current, argument);
        }

        return Other(current, (EventChannelCommand)command, argument, frame);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    [SkipLocalsInit]
    private static HypercallResult Send(Vcpu* current, ulong argument)
    {
        uint port;
        return GuestMemory.Read(argument, &port) ? EventSend.Run(current->Domain, port) : Errno.Fault;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HypercallResult Other(
        Vcpu* current, EventChannelCommand command, ulong argument, CpuUserRegs* frame) => command switch
        {
            EventChannelCommand.BindInterdomain => BindInterdomain(current->Domain, argument),
            EventChannelCommand.BindVirq => BindVirq(current->Domain, argument),
            EventChannelCommand.BindPirq => BindPirq(current->Domain, argument),
            EventChannelCommand.Close => Close(current->Domain, argument),
            EventChannelCommand.Status => Status(current->Domain, argument),
            EventChannelCommand.AllocUnbound => AllocateUnbound(current->Domain, argument),
            EventChannelCommand.BindIpi => BindIpi(current->Domain, argument),
            EventChannelCommand.BindVcpu => BindVcpu(current->Domain, argument),
            EventChannelCommand.Unmask => Unmask(current->Domain, argument),
            EventChannelCommand.Reset => Reset(current->Domain, argument, frame),
            EventChannelCommand.InitControl => InitialiseControl(current->Domain, argument),
            EventChannelCommand.ExpandArray => ExpandArray(current->Domain, argument),
            EventChannelCommand.SetPriority => SetPriority(current->Domain, argument),
            _ => Errno.NoSys,
        };

    private static Errno BindInterdomain(Domain* caller, ulong argument)
    {
        EventChannelBindInterdomain request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        Domain* remote = DomainTable.TryGetOrSelf(caller, request.RemoteDom.Raw);
        if (remote == null)
        {
            return Errno.Srch;
        }

        Errno error = EventBinding.Interdomain(caller, remote, request.RemotePort.Raw, out uint port);
        _ = DomainTable.Put(remote);
        request.LocalPort = new EventPort(port);
        return error == Errno.Ok ? WriteBack(caller, argument, &request, port) : error;
    }

    private static Errno BindVirq(Domain* caller, ulong argument)
    {
        EventChannelBindVirq request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        Errno error = EventBinding.Virq(caller, request.Virq, request.Vcpu, out uint port);
        request.Port = new EventPort(port);
        return error == Errno.Ok ? WriteBack(caller, argument, &request, port) : error;
    }

    private static Errno BindPirq(Domain* caller, ulong argument)
    {
        EventChannelBindPirq request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        bool share = (request.Flags & BindPirqFlags.WillShare) != 0;
        Errno error = EventBinding.Pirq(caller, request.Pirq, share, out uint port);
        request.Port = new EventPort(port);
        return error == Errno.Ok ? WriteBack(caller, argument, &request, port) : error;
    }

    private static Errno BindIpi(Domain* caller, ulong argument)
    {
        EventChannelBindIpi request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        Errno error = EventBinding.Ipi(caller, request.Vcpu, out uint port);
        request.Port = new EventPort(port);
        return error == Errno.Ok ? WriteBack(caller, argument, &request, port) : error;
    }

    private static Errno BindVcpu(Domain* caller, ulong argument)
    {
        EventChannelBindVcpu request;
        return GuestMemory.Read(argument, &request)
            ? EventBinding.MoveToVcpu(caller, request.Port.Raw, request.Vcpu)
            : Errno.Fault;
    }

    private static Errno AllocateUnbound(Domain* caller, ulong argument)
    {
        EventChannelAllocUnbound request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        Errno error = TargetDomain.Resolve(caller, request.Dom.Raw, out Domain* owner);
        if (error != Errno.Ok)
        {
            return error;
        }

        ushort remote = request.RemoteDom == DomId.Self ? caller->Id : request.RemoteDom.Raw;
        error = EventBinding.Unbound(owner, remote, out uint port);
        request.Port = new EventPort(port);
        if (error == Errno.Ok)
        {
            error = WriteBack(owner, argument, &request, port);
        }

        TargetDomain.Put(caller, owner);
        return error;
    }

    private static Errno Close(Domain* caller, ulong argument)
    {
        uint port;
        return GuestMemory.Read(argument, &port) ? EventBinding.Close(caller, port) : Errno.Fault;
    }

    private static Errno Unmask(Domain* caller, ulong argument)
    {
        uint port;
        return GuestMemory.Read(argument, &port) ? EventBinding.Unmask(caller, port) : Errno.Fault;
    }

    private static Errno Status(Domain* caller, ulong argument)
    {
        EventChannelStatus status;
        if (!GuestMemory.Read(argument, &status))
        {
            return Errno.Fault;
        }

        Errno error = TargetDomain.Resolve(caller, status.Dom.Raw, out Domain* owner);
        if (error != Errno.Ok)
        {
            return error;
        }

        error = EventBinding.Describe(owner, &status);
        TargetDomain.Put(caller, owner);
        return error != Errno.Ok || GuestMemory.Write(argument, &status) ? error : Errno.Fault;
    }

    private static HypercallResult Reset(Domain* caller, ulong argument, CpuUserRegs* frame)
    {
        EventChannelReset request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        Errno error = TargetDomain.Resolve(caller, request.Dom.Raw, out Domain* owner);
        if (error != Errno.Ok)
        {
            return error;
        }

        HypercallResult result = Errno.Ok;
        if (owner != caller && !owner->IsPausedByTools)
        {
            // It would go on with ports that it still takes for bound.
            result = Errno.Inval;
        }
        else if (!EventDomain.CloseAll(owner))
        {
            result = Continuation.With(frame, (ulong)EventChannelCommand.Reset, argument);
        }
        else
        {
            result = FifoControl.Leave(owner);
        }

        TargetDomain.Put(caller, owner);
        return result;
    }

    private static Errno InitialiseControl(Domain* caller, ulong argument)
    {
        EventChannelInitControl request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        Errno error = FifoControl.Initialise(caller, request.Vcpu, request.ControlGfn, request.Offset);
        request.LinkBits = (byte)EventChannelLimits.FifoLinkBits;
        return error != Errno.Ok || GuestMemory.Write(argument, &request) ? error : Errno.Fault;
    }

    private static Errno ExpandArray(Domain* caller, ulong argument)
    {
        EventChannelExpandArray request;
        return GuestMemory.Read(argument, &request) ? FifoControl.Expand(caller, request.ArrayGfn) : Errno.Fault;
    }

    private static Errno SetPriority(Domain* caller, ulong argument)
    {
        EventChannelSetPriority request;
        return GuestMemory.Read(argument, &request)
            ? FifoControl.SetPriority(caller, request.Port.Raw, request.Priority)
            : Errno.Fault;
    }

    /// <summary>Tells the guest its new port; one that cannot be told is closed again.</summary>
    private static Errno WriteBack<T>(Domain* owner, ulong argument, T* request, uint port)
        where T : unmanaged
    {
        if (GuestMemory.Write(argument, request))
        {
            return Errno.Ok;
        }

        _ = EventBinding.Close(owner, port);
        return Errno.Fault;
    }
}
