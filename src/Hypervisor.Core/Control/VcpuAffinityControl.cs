// SPDX-License-Identifier: MIT

using Hypervisor.Core.Scheduling;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>XEN_DOMCTL_setvcpuaffinity and getvcpuaffinity.</summary>
public static unsafe class VcpuAffinityControl
{
    private const uint Known = VcpuAffinityFlags.Hard | VcpuAffinityFlags.Soft | VcpuAffinityFlags.Force;

    /// <summary>Sets one map or both, and gives back what is in force: the bits of CPUs that there are.</summary>
    /// <returns>Inval: a map names no CPU that is there. Busy: the vCPU is pinned from inside.</returns>
    public static HypercallResult Set(Domain* domain, in DomCtlVcpuAffinity request)
    {
        Errno error = Find(domain, request, out Vcpu* vcpu);
        if (error != Errno.Ok)
        {
            return error;
        }

        if ((request.Flags & VcpuAffinityFlags.Force) != 0)
        {
            error = VcpuScheduling.PinOverride(vcpu, -1);
            if (error is not (Errno.Ok or Errno.NoEnt))
            {
                return error;
            }
        }

        ulong online = OnlineMask;
        ulong hard = vcpu->Sched.HardAffinity.Bits;
        ulong soft = vcpu->Sched.SoftAffinity.Bits;
        if ((request.Flags & VcpuAffinityFlags.Hard) != 0)
        {
            error = ControlBitmap.Read(request.CpuMapHard, out hard);
        }

        if (error == Errno.Ok && (request.Flags & VcpuAffinityFlags.Soft) != 0)
        {
            error = ControlBitmap.Read(request.CpuMapSoft, out soft);
        }

        if (error is not (Errno.Ok or Errno.NoEnt))
        {
            return error;
        }

        if ((hard & online) == 0 || (soft & online) == 0)
        {
            return Errno.Inval;
        }

        error = VcpuScheduling.SetAffinity(vcpu, new CpuMask(hard), new CpuMask(soft));
        if (error == Errno.Ok && (request.Flags & VcpuAffinityFlags.Hard) != 0)
        {
            error = ControlBitmap.Write(request.CpuMapHard, hard & online, Machine.OnlineCpus);
        }

        if (error == Errno.Ok && (request.Flags & VcpuAffinityFlags.Soft) != 0)
        {
            error = ControlBitmap.Write(request.CpuMapSoft, soft & hard & online, Machine.OnlineCpus);
        }

        return error;
    }

    public static HypercallResult Get(Domain* domain, in DomCtlVcpuAffinity request)
    {
        Errno error = Find(domain, request, out Vcpu* vcpu);
        if (error == Errno.Ok && (request.Flags & VcpuAffinityFlags.Hard) != 0)
        {
            error = ControlBitmap.Write(request.CpuMapHard, vcpu->Sched.HardAffinity.Bits, Machine.OnlineCpus);
        }

        if (error == Errno.Ok && (request.Flags & VcpuAffinityFlags.Soft) != 0)
        {
            error = ControlBitmap.Write(request.CpuMapSoft, vcpu->Sched.SoftAffinity.Bits, Machine.OnlineCpus);
        }

        return error;
    }

    private static ulong OnlineMask => Machine.OnlineCpus < 64 ? (1UL << (int)Machine.OnlineCpus) - 1 : ulong.MaxValue;

    private static Errno Find(Domain* domain, in DomCtlVcpuAffinity request, out Vcpu* vcpu)
    {
        vcpu = domain->VcpuOf(request.Vcpu);
        if (request.Vcpu >= domain->MaxVcpuCount || (request.Flags & ~Known) != 0
            || (request.Flags & (VcpuAffinityFlags.Hard | VcpuAffinityFlags.Soft)) == 0)
        {
            return Errno.Inval;
        }

        return vcpu == null ? Errno.Srch : Errno.Ok;
    }
}
