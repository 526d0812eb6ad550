// SPDX-License-Identifier: MIT

using Hypervisor.Core.Console;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Hypervisor.Core.Control;

/// <summary>Hypercall sysctl: the tools' requests about the machine as a whole.</summary>
public static unsafe class SysCtlOps
{
    /// <returns>
    /// Perm: the caller is not privileged. Access: made for another version of the interface. NoSys: no such
    /// sub-operation.
    /// </returns>
    public static HypercallResult Dispatch(Vcpu* vcpu, ulong argument, CpuUserRegs* frame)
    {
        SysCtl request;
        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.InterfaceVersion != SysCtlInterface.Version)
        {
            return Errno.Access;
        }

        HypercallResult result = Run(&request);

        // Some answers come with an error (a list that was too short), so whatever stands in the request goes back.
        return result.Raw != -(long)Errno.NoSys && !GuestMemory.Write(argument, &request) ? Errno.Fault : result;
    }

    private static HypercallResult Run(SysCtl* request) => (SysCtlCommand)request->Cmd switch
    {
        SysCtlCommand.ReadConsole => ConsoleLog.Read(&request->ReadConsole),
        SysCtlCommand.PhysInfo => HostInformation.Describe(&request->PhysInfo),
        SysCtlCommand.SchedId => HostInformation.Scheduler(&request->SchedId),
        SysCtlCommand.GetDomainInfoList => DomainInformation.List(&request->GetDomainInfoList),
        SysCtlCommand.DebugKeys => HostInformation.PressKeys(request->DebugKeys),
        SysCtlCommand.GetCpuInfo => HostInformation.IdleTimes(&request->GetCpuInfo),
        SysCtlCommand.AvailHeap => HostInformation.FreeMemory(&request->AvailHeap),
        SysCtlCommand.CpuTopoInfo => HostTopology.Cpus(&request->CpuTopoInfo),
        SysCtlCommand.NumaInfo => HostTopology.Nodes(&request->NumaInfo),
        SysCtlCommand.PciTopoInfo => HostTopology.Devices(&request->PciTopoInfo),
        SysCtlCommand.CpuPoolOp => CpuPoolControl.Run(&request->CpuPoolOp),
        SysCtlCommand.SchedulerOp => SchedulerControl.OfSystem(&request->SchedulerOp),
        SysCtlCommand.GetCpuLevellingCaps => HostInformation.LevellingCapabilities(&request->CpuLevellingCaps),
        SysCtlCommand.GetCpuFeatureSet => CpuPolicyControl.GetFeatures(&request->CpuFeatureSet),
        SysCtlCommand.GetCpuPolicy => CpuPolicyControl.GetOfSystem(&request->CpuPolicy),
        SysCtlCommand.CpuHotplug => CpuHotplugControl.Run(request->CpuHotplug),
        (SysCtlCommand)SchedulingExtension.SysCtl => SchedulingControl.Run((SchedulingOp*)request->Pad),
        (SysCtlCommand)StatisticsExtension.SysCtl => StatisticsControl.Read((StatisticsOp*)request->Pad),
        _ => Errno.NoSys,
    };
}
