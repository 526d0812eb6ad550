// SPDX-License-Identifier: MIT

using Hypervisor.Core.Scheduling;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>XEN_SYSCTL_cpu_hotplug: a CPU out of use runs no vCPU. It stays awake for interrupts that are bound to it and
/// for what other CPUs ask of it.</summary>
public static unsafe class CpuHotplugControl
{
    /// <returns>Inval: no such CPU, or CPU 0. NoSpace: reservations do not fit on the others. OpNotSupp: threads of
    /// cores cannot be switched.</returns>
    public static HypercallResult Run(in SysCtlCpuHotplug request)
    {
        switch ((CpuHotplugOperation)request.Op)
        {
            case CpuHotplugOperation.Online:
            case CpuHotplugOperation.Offline:
                bool isOnline = (CpuHotplugOperation)request.Op == CpuHotplugOperation.Online;
                return request.Cpu == 0 ? Errno.Inval : VcpuScheduling.SetCpuOnline(request.Cpu, isOnline);
            default:
                return Errno.OpNotSupp;
        }
    }
}
