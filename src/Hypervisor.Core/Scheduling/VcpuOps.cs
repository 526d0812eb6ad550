// SPDX-License-Identifier: MIT
// vcpu_op. Linux asks is_up of 8,192 vCPU numbers while it boots, so a number beyond the domain's is refused first.

using Hypervisor.Core.Acpi;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Scheduling;

/// <summary>The hypercall vcpu_op.</summary>
public static unsafe class VcpuOps
{
    public static HypercallResult Dispatch(
        Vcpu* current, uint command, ulong vcpuId, ulong argument, CpuUserRegs* frame)
    {
        Vcpu* vcpu = current->Domain->VcpuOf((uint)vcpuId);
        if (vcpu == null)
        {
            return Errno.NoEnt;
        }

        return (VcpuCommand)command switch
        {
            VcpuCommand.IsUp => HypercallResult.Value(vcpu->Offline ? 0L : 1L),
            VcpuCommand.SetSingleShotTimer =>
                vcpu == current ? VcpuTimers.SetSingleShot(vcpu, argument) : Errno.Inval,
            VcpuCommand.StopSingleShotTimer => StopSingleShot(current, vcpu),
            VcpuCommand.Initialise => Initialise(vcpu, argument),
            VcpuCommand.Up => Up(vcpu),
            VcpuCommand.Down => Down(vcpu),
            VcpuCommand.GetRunStateInfo => GetRunState(vcpu, argument),
            VcpuCommand.RegisterRunStateMemoryArea => GuestTime.RegisterRunStateArea(vcpu, argument),
            VcpuCommand.SetPeriodicTimer => VcpuTimers.SetPeriodic(vcpu, argument),
            VcpuCommand.StopPeriodicTimer => StopPeriodic(vcpu),
            VcpuCommand.RegisterVcpuInfo => RegisterInfo(vcpu, argument),
            VcpuCommand.SendNmi => SendNmi(vcpu, argument),
            VcpuCommand.GetPhysId => GetPhysicalId(vcpu, argument),
            VcpuCommand.RegisterVcpuTimeMemoryArea => GuestTime.RegisterTimeArea(vcpu, argument),
            _ => Errno.NoSys,
        };
    }

    private static HypercallResult Initialise(Vcpu* vcpu, ulong argument) =>
        vcpu->Initialised ? Errno.Exist : VcpuContext.Set(vcpu, argument);

    private static HypercallResult Up(Vcpu* vcpu)
    {
        if (!vcpu->Initialised)
        {
            return Errno.Inval;
        }

        if (vcpu->Offline)
        {
            vcpu->Offline = false;
            VcpuScheduling.Wake(vcpu);
        }

        return Errno.Ok;
    }

    /// <summary>A domain whose last vCPU goes down has switched itself off.</summary>
    private static HypercallResult Down(Vcpu* vcpu)
    {
        Domain* domain = vcpu->Domain;
        if (IsOnlyOneUp(domain, vcpu))
        {
            DomainLifecycle.Shutdown(domain, (byte)ShutdownReason.Poweroff);
            return Errno.Ok;
        }

        vcpu->Offline = true;
        VcpuScheduling.Sleep(vcpu);
        return Errno.Ok;
    }

    private static bool IsOnlyOneUp(Domain* domain, Vcpu* vcpu)
    {
        for (uint id = 0; id < domain->MaxVcpuCount; id++)
        {
            Vcpu* other = domain->VcpuOf(id);
            if (other != null && other != vcpu && !other->Offline)
            {
                return false;
            }
        }

        return true;
    }

    private static HypercallResult GetRunState(Vcpu* vcpu, ulong argument)
    {
        VcpuRunStateInfo info;
        VcpuScheduling.ReadRunState(vcpu, &info);
        return GuestMemory.Write(argument, &info) ? Errno.Ok : Errno.Fault;
    }

    private static HypercallResult StopSingleShot(Vcpu* current, Vcpu* vcpu)
    {
        if (vcpu != current)
        {
            return Errno.Inval;
        }

        TimerQueue.Stop(&vcpu->Time.SingleShot);
        return Errno.Ok;
    }

    private static HypercallResult StopPeriodic(Vcpu* vcpu)
    {
        VcpuTimers.StopPeriodic(vcpu);
        return Errno.Ok;
    }

    private static HypercallResult RegisterInfo(Vcpu* vcpu, ulong argument)
    {
        VcpuRegisterVcpuInfo request;
        return GuestMemory.Read(argument, &request)
            ? VcpuInfoFrame.Register(vcpu, request.Mfn, request.Offset)
            : Errno.Fault;
    }

    private static HypercallResult SendNmi(Vcpu* vcpu, ulong argument)
    {
        if (argument != 0)
        {
            return Errno.Inval;
        }

        RaiseNmi(vcpu);
        return Errno.Ok;
    }

    /// <summary>Makes an NMI pending for the vCPU.</summary>
    public static void RaiseNmi(Vcpu* vcpu)
    {
        vcpu->NmiPending = true;
        VcpuWork.Set(vcpu, VcpuWork.Nmi);
        VcpuScheduling.Kick(vcpu);
    }

    /// <summary>Only for a vCPU of Domain-0 that may run on one CPU alone: the answer would mean nothing for any
    /// other.</summary>
    private static HypercallResult GetPhysicalId(Vcpu* vcpu, ulong argument)
    {
        ulong affinity = vcpu->Sched.HardAffinity.Bits;
        if (!vcpu->Domain->IsPrivileged || affinity == 0 || (affinity & (affinity - 1)) != 0)
        {
            return Errno.Inval;
        }

        uint cpu = vcpu->Sched.HardAffinity.First;
        if (cpu >= Machine.OnlineCpus)
        {
            return Errno.Inval;
        }

        // <xen/vcpu.h>: the local APIC's number below, the MADT's above.
        uint apicId = Machine.CpuOf(cpu)->LocalApicId;
        VcpuGetPhysId answer;
        answer.PhysId = apicId | ((ulong)AcpiTables.ProcessorIdOf(apicId) << 32);
        return GuestMemory.Write(argument, &answer) ? Errno.Ok : Errno.Fault;
    }
}
