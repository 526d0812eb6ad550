// SPDX-License-Identifier: MIT

using Hypervisor.Core.Console;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>What the tools ask about the machine.</summary>
public static unsafe class HostInformation
{
    private const int CapabilityWords = 8;
    private const uint MaxKeys = 32;

    /// <summary>XEN_SYSCTL_physinfo.</summary>
    public static HypercallResult Describe(SysCtlPhysInfo* info)
    {
        *info = default;
        info->ThreadsPerCore = HostTopology.ThreadsPerCore;
        info->CoresPerSocket = HostTopology.CoresPerSocket;
        info->NrCpus = Machine.OnlineCpus;
        info->MaxCpuId = Machine.OnlineCpus - 1;
        info->NrNodes = 1;
        info->MaxNodeId = 0;
        info->CpuKhz = (uint)(SystemTime.TscHz / 1000);
        info->Capabilities = PhysicalCapabilities.Pv | PhysicalCapabilities.GrantTableV1;
        info->TotalPages = HostMemoryMap.RamFrames;
        info->FreePages = PageAllocator.FreeFrames;
        info->OutstandingPages = PageAllocator.ClaimedFrames;
        info->MaxMfn = FrameTable.Frames - 1;
        for (int word = 0; word < CapabilityWords; word++)
        {
            info->HwCap[word] = CpuidPolicy.FeatureWord(SystemPolicies.Host, word);
        }

        return Errno.Ok;
    }

    public static HypercallResult Scheduler(SysCtlSchedId* request)
    {
        request->SchedId = SchedulerControl.ReportedScheduler;
        return Errno.Ok;
    }

    public static HypercallResult LevellingCapabilities(SysCtlCpuLevellingCaps* request)
    {
        // CPUID of user mode is not masked.
        request->Caps = 0;
        return Errno.Ok;
    }

    /// <summary>XEN_SYSCTL_debug_keys.</summary>
    public static HypercallResult PressKeys(in SysCtlDebugKeys request)
    {
        byte* keys = stackalloc byte[(int)MaxKeys];
        uint count = request.NrKeys < MaxKeys ? request.NrKeys : MaxKeys;
        if (!GuestMemory.Read(request.Keys, keys, count))
        {
            return Errno.Fault;
        }

        for (uint index = 0; index < count; index++)
        {
            DebugKeys.Handle(keys[index]);
        }

        return Errno.Ok;
    }

    /// <summary>XEN_SYSCTL_getcpuinfo: idle time of each CPU.</summary>
    public static HypercallResult IdleTimes(SysCtlGetCpuInfo* request)
    {
        uint count = request->MaxCpus < Machine.OnlineCpus ? request->MaxCpus : Machine.OnlineCpus;
        for (uint cpu = 0; cpu < count; cpu++)
        {
            SysCtlCpuInfo info;
            info.IdleTime = VcpuScheduling.IdleTime(cpu);
            if (!GuestMemory.WriteElement(request->Info, cpu, &info))
            {
                return Errno.Fault;
            }
        }

        request->NrCpus = count;
        return Errno.Ok;
    }

    /// <summary>XEN_SYSCTL_availheap: free memory, of the one node there is.</summary>
    public static HypercallResult FreeMemory(SysCtlAvailHeap* request)
    {
        request->AvailBytes = request->Node <= 0 ? PageAllocator.FreeFrames << MemoryLayout.PageShift : 0;
        return Errno.Ok;
    }
}
