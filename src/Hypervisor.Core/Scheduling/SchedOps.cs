// SPDX-License-Identifier: MIT

using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

/// <summary>The hypercall sched_op.</summary>
public static unsafe class SchedOps
{
    public static HypercallResult Dispatch(Vcpu* vcpu, uint command, ulong argument, CpuUserRegs* frame) =>
        (SchedCommand)command switch
        {
            SchedCommand.Yield => Yield(vcpu),
            SchedCommand.Block => Block(vcpu),
            SchedCommand.Poll => Polling.Poll(vcpu, argument),
            SchedCommand.Shutdown => Shutdown(vcpu, argument),
            SchedCommand.ShutdownCode => LatchCode(vcpu, argument),
            SchedCommand.RemoteShutdown => RemoteShutdown(vcpu, argument),
            SchedCommand.Watchdog => Watchdogs.Set(vcpu->Domain, argument),
            SchedCommand.PinOverride => PinOverride(vcpu, argument),
            _ => Errno.NoSys,
        };

    private static HypercallResult Yield(Vcpu* vcpu)
    {
        VcpuScheduling.Yield(vcpu);
        return Errno.Ok;
    }

    private static HypercallResult Block(Vcpu* vcpu)
    {
        VcpuScheduling.Block(vcpu);
        return Errno.Ok;
    }

    /// <summary>Stops the calling domain. It sees 0 if it ever runs on: a suspension that is cancelled is told to it
    /// by the tools.</summary>
    private static HypercallResult Shutdown(Vcpu* vcpu, ulong argument)
    {
        SchedShutdown request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.Reason > (uint)ShutdownReason.SoftReset)
        {
            return Errno.Inval;
        }

        DomainLifecycle.Shutdown(vcpu->Domain, (byte)request.Reason);
        return Errno.Ok;
    }

    /// <summary>The next shutdown, whatever its reason, reports this one.</summary>
    private static HypercallResult LatchCode(Vcpu* vcpu, ulong argument)
    {
        SchedShutdown request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.Reason > (uint)ShutdownReason.SoftReset)
        {
            return Errno.Inval;
        }

        DomainLifecycle.LatchShutdownCode(vcpu->Domain, (byte)request.Reason);
        return Errno.Ok;
    }

    private static HypercallResult RemoteShutdown(Vcpu* vcpu, ulong argument)
    {
        SchedRemoteShutdown request;
        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        if (request.Reason > (uint)ShutdownReason.SoftReset)
        {
            return Errno.Inval;
        }

        Domain* domain = DomainTable.TryGet(request.DomainId.Raw);
        if (domain == null)
        {
            return Errno.Srch;
        }

        DomainLifecycle.Shutdown(domain, (byte)request.Reason);
        _ = DomainTable.Put(domain);
        return Errno.Ok;
    }

    /// <summary>For drivers of Domain-0 that must run on one processor for a while.</summary>
    private static HypercallResult PinOverride(Vcpu* vcpu, ulong argument)
    {
        SchedPinOverride request;
        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        return VcpuScheduling.PinOverride(vcpu, request.PCpu);
    }
}
