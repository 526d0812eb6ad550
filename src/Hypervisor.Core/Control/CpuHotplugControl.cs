// SPDX-License-Identifier: MIT

using Hypervisor.Core.Scheduling;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>XEN_SYSCTL_cpu_hotplug, XENPF_cpu_online and cpu_offline: a CPU out of use runs no vCPU. It stays awake for
/// interrupts that are bound to it and for what other CPUs ask of it.</summary>
public static unsafe class CpuHotplugControl
{
    /// <returns>As <see cref="Set"/>; OpNotSupp: threads of cores cannot be switched.</returns>
    public static HypercallResult Run(in SysCtlCpuHotplug request)
    {
        switch ((CpuHotplugOperation)request.Op)
        {
            case CpuHotplugOperation.Online:
            case CpuHotplugOperation.Offline:
                return Set(request.Cpu, (CpuHotplugOperation)request.Op == CpuHotplugOperation.Online);
            default:
                return Errno.OpNotSupp;
        }
    }

    /// <returns>Inval: no such CPU, or CPU 0. NoSpace: reservations do not fit on the others.</returns>
    public static HypercallResult Set(uint cpu, bool isOnline) =>
        cpu == 0 ? Errno.Inval : VcpuScheduling.SetCpuOnline(cpu, isOnline);
}
