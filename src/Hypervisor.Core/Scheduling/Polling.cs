// SPDX-License-Identifier: MIT
// SCHEDOP_poll: a vCPU sleeps until one of some ports is pending, whether or not it takes upcalls, or until a deadline.
//
// It marks itself in its domain's bitmap of pollers, then as blocked, and only then looks at the ports. Whoever makes
// a port pending looks at the bitmap afterwards (WakePollers), so that one of the two sees the other. With one port
// only that port's event wakes; with several any event of the domain does, and the guest looks for itself.

using System.Threading;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

/// <summary>Waiting for ports.</summary>
public static unsafe class Polling
{
    public const uint MaxPorts = 128;

    /// <summary>SCHEDOP_poll of the calling vCPU; the guest sees the answer when it runs again.</summary>
    public static HypercallResult Poll(Vcpu* vcpu, ulong guestAddress)
    {
        SchedPoll request;
        if (!GuestMemory.Read(guestAddress, &request))
        {
            return Errno.Fault;
        }

        if (request.NrPorts > MaxPorts)
        {
            return Errno.Inval;
        }

        uint onlyPort = SchedUnit.NoPort;
        if (request.NrPorts == 1 && !GuestMemory.Read(request.Ports, &onlyPort))
        {
            return Errno.Fault;
        }

        vcpu->Sched.PolledPort = onlyPort;
        _ = Machine.TestAndSetBit(vcpu->Domain->Events.Pollers, vcpu->Id);
        _ = Interlocked.Exchange(ref vcpu->Sched.IsBlocked, 1);

        Errno error = LookForEvents(vcpu, &request, out bool isPending);
        if (error != Errno.Ok || isPending)
        {
            Forget(vcpu);
            Volatile.Write(ref vcpu->Sched.IsBlocked, 0);
            return error;
        }

        if (request.Timeout != 0)
        {
            TimerQueue.Set(&vcpu->Time.Poll, (long)request.Timeout < 0 ? 0 : request.Timeout);
        }
        else
        {
            TimerQueue.Stop(&vcpu->Time.Poll);
        }

        Machine.RaiseSoftIrq(SoftIrq.Schedule);
        return Errno.Ok;
    }

    /// <summary>The port, be it masked or not, is pending now: who polls it wakes.</summary>
    public static void WakePollers(Domain* domain, uint port)
    {
        if ((Volatile.Read(ref domain->Events.Pollers[0]) | Volatile.Read(ref domain->Events.Pollers[1])) == 0)
        {
            return;
        }

        for (uint word = 0; word < 2; word++)
        {
            for (ulong bits = domain->Events.Pollers[word]; bits != 0; bits &= bits - 1)
            {
                Vcpu* vcpu = domain->VcpuOf((word * 64) + (uint)Machine.LowestBit(bits));
                if (vcpu != null && (vcpu->Sched.PolledPort == port || vcpu->Sched.PolledPort == SchedUnit.NoPort))
                {
                    VcpuScheduling.Unblock(vcpu);
                }
            }
        }
    }

    /// <summary>The vCPU polls no more.</summary>
    internal static void Forget(Vcpu* vcpu)
    {
        if (IsPolling(vcpu))
        {
            _ = Machine.TestAndClearBit(vcpu->Domain->Events.Pollers, vcpu->Id);
        }
    }

    internal static void OnTimeout(Vcpu* vcpu)
    {
        if (IsPolling(vcpu))
        {
            VcpuScheduling.Unblock(vcpu);
        }
    }

    private static bool IsPolling(Vcpu* vcpu) =>
        (Volatile.Read(ref vcpu->Domain->Events.Pollers[vcpu->Id >> 6]) >> (int)(vcpu->Id & 63) & 1) != 0;

    private static Errno LookForEvents(Vcpu* vcpu, SchedPoll* request, out bool isPending)
    {
        isPending = vcpu->Info->EventChannelUpcallPending != 0 && !vcpu->IsUpcallMasked();
        for (uint index = 0; index < request->NrPorts && !isPending; index++)
        {
            uint port;
            if (!GuestMemory.ReadElement(request->Ports, index, &port))
            {
                return Errno.Fault;
            }

            if (!Events.EventChannels.IsValidPort(vcpu->Domain, port))
            {
                return Errno.Inval;
            }

            isPending = Events.EventChannels.IsPending(vcpu->Domain, port);
        }

        return Errno.Ok;
    }
}
