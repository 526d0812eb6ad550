// SPDX-License-Identifier: MIT
using System.Runtime.CompilerServices;
using Dom0.Toolstack.Interop;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>The scheduling policies of this hypervisor. Xen has no such operation: there everything but
/// <see cref="TryPolicy"/> is refused with ENOSYS.</summary>
public sealed class SchedulingControl
{
    private readonly HypercallGate _gate;

    internal SchedulingControl(HypercallGate gate) => _gate = gate;

    /// <summary>The policy in force; null on a hypervisor that has one only.</summary>
    public SchedulingPolicy? TryPolicy()
    {
        try
        {
            ref SchedulingOp call = ref Prepare(SchedulingCommand.GetPolicy);
            Run("get policy");
            return call.Policy;
        }
        catch (XenException refusal) when (refusal.Errno == LibcErrno.NotImplemented)
        {
            return null;
        }
    }

    /// <summary>Puts another policy in force; gives the number of vCPUs that were taken over, and the nanoseconds for
    /// which nobody could be scheduled.</summary>
    public (int Vcpus, ulong Pause) Switch(SchedulingPolicy policy)
    {
        ref SchedulingOp call = ref Prepare(SchedulingCommand.SetPolicy);
        call.Policy = policy;
        Run("set policy", null, "The reservations that domains have for sedf do not fit on the CPUs: see 'xm sched-sedf'");
        return ((int)call.Vcpus, call.Pause);
    }

    /// <summary>A domain's reservation for sedf.</summary>
    public SedfReservation GetSedf(DomId domain) => Get(domain, SchedulingPolicy.Sedf).Sedf;

    /// <summary>Sets it.</summary>
    public void SetSedf(DomId domain, SedfReservation reservation)
    {
        ref SchedulingOp call = ref Prepare(SchedulingCommand.SetDomain, domain, SchedulingPolicy.Sedf);
        call.Sedf = reservation;
        Run("set sedf", domain,
            "Some CPU would be overbooked: its reservations would take more than 95 % of it. Ask for a smaller slice or a "
            + "longer period, or take some from other domains ('xm sched-sedf' shows them)");
    }

    /// <summary>A domain's advance and warp for bvt.</summary>
    public BvtShare GetBvt(DomId domain) => Get(domain, SchedulingPolicy.Bvt).Bvt;

    /// <summary>Sets them.</summary>
    public void SetBvt(DomId domain, BvtShare share)
    {
        ref SchedulingOp call = ref Prepare(SchedulingCommand.SetDomain, domain, SchedulingPolicy.Bvt);
        call.Bvt = share;
        Run("set bvt", domain);
    }

    /// <summary>What holds for the machine as a whole.</summary>
    public SchedulingTimes GetTimes()
    {
        ref SchedulingOp call = ref Prepare(SchedulingCommand.GetMachine);
        Run("get times");
        return call.Machine;
    }

    /// <summary>Sets it.</summary>
    public void SetTimes(SchedulingTimes times)
    {
        ref SchedulingOp call = ref Prepare(SchedulingCommand.SetMachine);
        call.Machine = times;
        Run("set times");
    }

    private SchedulingOp Get(DomId domain, SchedulingPolicy policy)
    {
        ref SchedulingOp call = ref Prepare(SchedulingCommand.GetDomain, domain, policy);
        Run("get", domain);
        return call;
    }

    private unsafe ref SchedulingOp Prepare(
        SchedulingCommand command, DomId domain = default, SchedulingPolicy policy = default)
    {
        ref SysCtl call = ref _gate.Prepare<SysCtl>();
        call.Cmd = SchedulingExtension.SysCtl;
        call.InterfaceVersion = SysCtlInterface.Version;
        ref SchedulingOp argument = ref Unsafe.As<byte, SchedulingOp>(ref call.Pad[0]);
        argument.Op = command;
        argument.Domain = domain.Raw;
        argument.Policy = policy;
        return ref argument;
    }

    private void Run(string name, DomId? domain = null, string? remedyForNoSpace = null)
    {
        string operation = $"sysctl scheduling ({name})";
        string? detail = domain is { } id ? $"domain {id.Raw}" : null;
        try
        {
            _ = HypercallGate.Check(_gate.Call(HypercallNumber.SysCtl), operation, detail);
        }
        catch (XenException refusal) when (refusal.Errno == LibcErrno.NoSpace && remedyForNoSpace is not null)
        {
            throw new XenException(refusal.Errno, operation, detail, remedyForNoSpace);
        }
    }
}
