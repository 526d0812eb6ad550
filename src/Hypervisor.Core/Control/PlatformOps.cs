// SPDX-License-Identifier: MIT

using Hypervisor.Core.Acpi;
using Hypervisor.Core.Efi;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Hypercall platform_op: Domain-0's requests about the hardware.</summary>
public static unsafe class PlatformOps
{
    private const uint PowerOffState = 5;

    /// <returns>Perm: not Domain-0. Access: another version of the interface. NoSys: no such sub-operation.</returns>
    public static HypercallResult Dispatch(Vcpu* vcpu, ulong argument, CpuUserRegs* frame)
    {
        PlatformOp request;
        if (!vcpu->Domain->IsPrivileged)
        {
            return Errno.Perm;
        }

        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.InterfaceVersion != PlatformInterface.Version)
        {
            return Errno.Access;
        }

        switch ((PlatformCommand)request.Cmd)
        {
            case PlatformCommand.SetTime32:
                return SetTime(request.SetTime32.Secs, request.SetTime32.Nsecs, request.SetTime32.SystemTime);
            case PlatformCommand.SetTime64:
                return request.SetTime64.Mbz != 0
                    ? Errno.Inval
                    : SetTime(request.SetTime64.Secs, request.SetTime64.Nsecs, request.SetTime64.SystemTime);
            case PlatformCommand.FirmwareInfo:
                return TellFirmware(argument, &request);
            case PlatformCommand.EfiRuntimeCall:
                return CallFirmware(argument, &request);
            case PlatformCommand.EnterAcpiSleep:
                return Sleep(request.EnterAcpiSleep);
            case PlatformCommand.GetIdleTime:
                return IdleTimes(argument, &request);
            case PlatformCommand.GetCpuInfo:
                return DescribeCpu(argument, &request);
            case PlatformCommand.GetCpuVersion:
                return CpuVersion(argument, &request);
            case PlatformCommand.CpuOnline:
                return CpuHotplugControl.Set(request.CpuOl.CpuId, isOnline: true);
            case PlatformCommand.CpuOffline:
                return CpuHotplugControl.Set(request.CpuOl.CpuId, isOnline: false);
            default:
                return Errno.NoSys;
        }
    }

    private static HypercallResult SetTime(ulong seconds, uint nanoseconds, ulong systemTime)
    {
        if (nanoseconds >= SystemTime.Second)
        {
            return Errno.Inval;
        }

        Wallclock.Set(seconds, nanoseconds, systemTime);
        return Errno.Ok;
    }

    private static HypercallResult CallFirmware(ulong argument, PlatformOp* request)
    {
        Errno error = EfiRuntimeOps.Call(&request->EfiRuntimeCall);
        return error != Errno.Ok || GuestMemory.Write(argument, request) ? error : Errno.Fault;
    }

    private static HypercallResult TellFirmware(ulong argument, PlatformOp* request)
    {
        Errno error = FirmwareInformation.Answer(&request->FirmwareInfo);
        return error != Errno.Ok || GuestMemory.Write(argument, request) ? error : Errno.Fault;
    }

    /// <summary>Switches the machine off; other states of sleep would lose what the hypervisor knows of the
    /// devices.</summary>
    private static HypercallResult Sleep(in PlatformEnterAcpiSleep request)
    {
        if (request.SleepState != PowerOffState || (request.Flags & ~AcpiSleepFlags.Extended) != 0)
        {
            return Errno.Inval;
        }

        // Extended sleep registers are those of machines without the classic ones.
        return (request.Flags & AcpiSleepFlags.Extended) != 0
            ? Errno.OpNotSupp
            : AcpiSleep.Enter(request.ValA, request.ValB);
    }

    private static HypercallResult IdleTimes(ulong argument, PlatformOp* request)
    {
        XenCtlBitmap map;
        map.Bitmap = request->GetIdleTime.CpuMapBitmap;
        map.NrBits = request->GetIdleTime.CpuMapNrCpus;
        Errno error = ControlBitmap.Read(map, out ulong wanted);
        if (error != Errno.Ok)
        {
            return error;
        }

        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            ulong time = VcpuScheduling.IdleTime(cpu);
            if ((wanted >> (int)cpu & 1) != 0 && !GuestMemory.WriteElement(request->GetIdleTime.IdleTime, cpu, &time))
            {
                return Errno.Fault;
            }
        }

        request->GetIdleTime.Now = SystemTime.Now();
        error = ControlBitmap.Write(map, wanted, Machine.OnlineCpus);
        return error != Errno.Ok || GuestMemory.Write(argument, request) ? error : Errno.Fault;
    }

    private static HypercallResult DescribeCpu(ulong argument, PlatformOp* request)
    {
        PlatformPCpuInfo* info = &request->PCpuInfo;
        info->MaxPresent = Machine.OnlineCpus - 1;
        info->AcpiId = 0;
        info->ApicId = 0;
        info->Flags = PhysicalCpuFlags.Invalid;
        if (info->XenCpuId < Machine.OnlineCpus)
        {
            info->Flags = PhysicalCpuFlags.Online;
            info->ApicId = Machine.CpuOf(info->XenCpuId)->LocalApicId;
            info->AcpiId = AcpiTables.ProcessorIdOf(info->ApicId);
        }

        return GuestMemory.Write(argument, request) ? Errno.Ok : Errno.Fault;
    }

    private static HypercallResult CpuVersion(ulong argument, PlatformOp* request)
    {
        PlatformPCpuVersion* version = &request->PCpuVersion;
        version->MaxPresent = Machine.OnlineCpus - 1;
        if (version->XenCpuId >= Machine.OnlineCpus)
        {
            return Errno.Inval;
        }

        uint* registers = stackalloc uint[4];
        Machine.Cpuid(0, 0, registers);
        uint* vendor = (uint*)version->VendorId;
        vendor[0] = registers[1];
        vendor[1] = registers[3];
        vendor[2] = registers[2];

        CpuSignature signature = CpuSignature.Read();
        version->Family = signature.Family;
        version->Model = signature.Model;
        version->Stepping = signature.Stepping;
        return GuestMemory.Write(argument, request) ? Errno.Ok : Errno.Fault;
    }
}
