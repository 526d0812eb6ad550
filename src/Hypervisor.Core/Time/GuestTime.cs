// SPDX-License-Identifier: MIT
// What a guest reads of time without asking: the time record in its vcpu_info, a copy of
// it at an address of its own (which Linux maps into user space), and its run state.
//
// The time record holds the base and the scale of SystemTime, which stand from boot on. So it is written when a vCPU
// gets a vcpu_info, and not again: no update at every context switch, no drift between two records. The version is
// odd while the record is written, and differs afterwards.
//
// The run state area is written whenever the vCPU is switched out or in, while its page tables are loaded. The
// area is at a kernel address: for a vCPU that was in user mode the kernel's tables are loaded meanwhile. With
// VMASST_TYPE_runstate_update_flag the entry time has bit 63 set while the area is inconsistent.

using System.Threading;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Scheduling;
using Xen.Abi;

namespace Hypervisor.Core.Time;

/// <summary>Publishes time to guests.</summary>
public static unsafe class GuestTime
{
    private const ulong TimeRecordWords = 4;
    private const ulong RunStateWords = 6;

    /// <summary>Timers and accounts of a new vCPU, which is offline.</summary>
    public static void InitialiseVcpu(Vcpu* vcpu)
    {
        VcpuTime* time = &vcpu->Time;
        TimerQueue* queue = (TimerQueue*)Machine.Cpu->TimerQueue;
        *time = default;
        time->State = RunState.Offline;
        time->StateSince = SystemTime.Now();
        time->Period = VcpuTimers.DefaultPeriod;
        TimerQueue.Prepare(&time->SingleShot, TimerKind.VcpuSingleShot, vcpu, queue);
        TimerQueue.Prepare(&time->Periodic, TimerKind.VcpuPeriodic, vcpu, queue);
        TimerQueue.Prepare(&time->Poll, TimerKind.VcpuPoll, vcpu, queue);
    }

    /// <summary>The vCPU, which will never run again, is about to be freed.</summary>
    public static void ReleaseVcpu(Vcpu* vcpu)
    {
        TimerQueue.Kill(&vcpu->Time.SingleShot);
        TimerQueue.Kill(&vcpu->Time.Periodic);
        TimerQueue.Kill(&vcpu->Time.Poll);
    }

    public static void InitialiseDomain(Domain* domain)
    {
        domain->Time = default;
        Watchdogs.Initialise(domain);
    }

    public static void ReleaseDomain(Domain* domain) => Watchdogs.Release(domain);

    /// <summary>Writes the time record into the vCPU's vcpu_info, which is new to it.</summary>
    public static void Publish(Vcpu* vcpu)
    {
        VcpuTimeInfo* record = &vcpu->Info->Time;
        uint version = record->Version | 1;
        Volatile.Write(ref record->Version, version);
        Fill(record);
        Volatile.Write(ref record->Version, version + 1);
    }

    /// <summary>The clock has a new base: every vCPU renews its records before it goes on.</summary>
    public static void RenewAll()
    {
        uint id = 0;
        for (Domain* domain = Diagnostics.DomainWalk.Next(ref id); domain != null;
            domain = Diagnostics.DomainWalk.Next(ref id))
        {
            for (uint number = 0; number < domain->MaxVcpuCount; number++)
            {
                Vcpu* vcpu = domain->VcpuOf(number);
                if (vcpu == null)
                {
                    continue;
                }

                VcpuWork.Set(vcpu, VcpuWork.Time);
                uint cpu = Volatile.Read(ref vcpu->LoadedOn);
                if (cpu < Machine.OnlineCpus && cpu != Machine.Cpu->CpuId)
                {
                    Machine.Kick(cpu);
                }
            }

            _ = DomainTable.Put(domain);
        }
    }

    /// <summary>Writes the records of the vCPU that is about to go on; its registers and page tables are
    /// loaded.</summary>
    public static void Renew(Vcpu* vcpu)
    {
        VcpuWork.Clear(vcpu, VcpuWork.Time);
        Publish(vcpu);
        if (vcpu->TimeAreaGuestAddress == 0)
        {
            return;
        }

        ulong userRoot = 0;
        if (!vcpu->InKernelMode)
        {
            userRoot = Machine.ReadCr3();
            Machine.WriteCr3(vcpu->Cr3Kernel);
        }

        // A guest that has unmapped its area meanwhile goes without.
        _ = WriteTimeArea(vcpu->TimeAreaGuestAddress);
        if (userRoot != 0)
        {
            Machine.WriteCr3(userRoot);
        }
    }

    /// <summary>The part of CPUID's answers that is about time. RDTSC is never emulated: guests read the machine's
    /// counter.</summary>
    public static CpuidContext CpuidClock(Vcpu* vcpu)
    {
        CpuidContext context = default;
        context.TscReliable = SystemTime.IsTscStable;
        context.TscMode = vcpu->Domain->Time.TscMode;
        context.TscIncarnation = vcpu->Domain->Time.TscIncarnation;
        context.TscHostKhz = (uint)(SystemTime.TscHz / 1000);
        context.TscGuestKhz = context.TscHostKhz;
        context.TscMultiplier = (uint)(SystemTime.Scale >> Shift);
        context.TscShift = Shift;
        return context;
    }

    /// <summary>VCPUOP_register_vcpu_time_memory_area: address 0 takes the registration back.</summary>
    public static Errno RegisterTimeArea(Vcpu* vcpu, ulong guestAddress)
    {
        VcpuRegisterTimeMemoryArea area;
        if (!GuestMemory.Read(guestAddress, &area))
        {
            return Errno.Fault;
        }

        if (area.AddrP != 0 && !WriteTimeArea(area.AddrP))
        {
            return Errno.Fault;
        }

        vcpu->TimeAreaGuestAddress = area.AddrP;
        return Errno.Ok;
    }

    /// <summary>VCPUOP_register_runstate_memory_area: address 0 takes the registration back.</summary>
    public static Errno RegisterRunStateArea(Vcpu* vcpu, ulong guestAddress)
    {
        VcpuRegisterRunStateMemoryArea area;
        if (!GuestMemory.Read(guestAddress, &area))
        {
            return Errno.Fault;
        }

        if (area.AddrP != 0)
        {
            VcpuRunStateInfo info;
            VcpuScheduling.ReadRunState(vcpu, &info);
            if (!GuestMemory.Write(area.AddrP, &info))
            {
                return Errno.Fault;
            }
        }

        vcpu->RunstateGuestAddress = area.AddrP;
        return Errno.Ok;
    }

    /// <summary>The vCPU, whose registers are loaded, no longer runs on this CPU.</summary>
    public static void OnSwitchedOut(Vcpu* vcpu)
    {
        if (vcpu->Time.Period != 0)
        {
            TimerQueue.Stop(&vcpu->Time.Periodic);
        }

        if (vcpu->RunstateGuestAddress != 0)
        {
            WriteRunStateArea(vcpu);
        }
    }

    /// <summary>The vCPU, whose registers are loaded, runs on this CPU from now on.</summary>
    public static void OnSwitchedIn(CpuInfo* cpu, Vcpu* vcpu, ulong now)
    {
        VcpuTime* time = &vcpu->Time;
        TimerQueue* queue = (TimerQueue*)cpu->TimerQueue;
        if (time->SingleShot.Queue != queue)
        {
            TimerQueue.Move(&time->SingleShot, queue);
            TimerQueue.Move(&time->Periodic, queue);
            TimerQueue.Move(&time->Poll, queue);
        }

        if (time->Period != 0)
        {
            VcpuTimers.ResumePeriodic(vcpu, now);
        }

        if (vcpu->RunstateGuestAddress != 0)
        {
            WriteRunStateArea(vcpu);
        }
    }

    /// <summary>Left shift of the tick count that goes with the 32-bit multiplier of the records.</summary>
    private static int Shift => SystemTime.Scale >> 32 == 0 ? 0 : Machine.HighestBit(SystemTime.Scale) - 31;

    private static void WriteRunStateArea(Vcpu* vcpu)
    {
        VcpuRunStateInfo info;
        VcpuScheduling.ReadRunState(vcpu, &info);

        ulong userRoot = 0;
        if (!vcpu->InKernelMode)
        {
            userRoot = Machine.ReadCr3();
            Machine.WriteCr3(vcpu->Cr3Kernel);
        }

        ulong address = vcpu->RunstateGuestAddress;
        ulong entryAddress = address + sizeof(ulong);
        ulong entry = info.StateEntryTime;
        bool isFlagged = (vcpu->Domain->VmAssist >> (int)VmAssistType.RunStateUpdateFlag & 1) != 0;
        if (isFlagged)
        {
            info.StateEntryTime |= RunStateFlags.Update;
            _ = GuestMemory.Write(entryAddress, &info.StateEntryTime);
        }

        // A guest that has unmapped its area meanwhile goes without.
        _ = GuestMemory.Write(address, &info, (nuint)(RunStateWords * sizeof(ulong)));
        if (isFlagged)
        {
            _ = GuestMemory.Write(entryAddress, &entry);
        }

        if (userRoot != 0)
        {
            Machine.WriteCr3(userRoot);
        }
    }

    private static bool WriteTimeArea(ulong address)
    {
        VcpuTimeInfo record;
        if (!GuestMemory.Read(address, &record))
        {
            return false;
        }

        ulong* words = (ulong*)&record;
        uint version = record.Version | 1;
        Fill(&record);
        record.Version = version;
        if (!GuestMemory.Write(address, words))
        {
            return false;
        }

        nuint rest = (nuint)((TimeRecordWords - 1) * sizeof(ulong));
        bool written = GuestMemory.Write(address + sizeof(ulong), words + 1, rest);
        record.Version = version + 1;
        return GuestMemory.Write(address, words) && written;
    }

    /// <summary>Everything but the version.</summary>
    private static void Fill(VcpuTimeInfo* record)
    {
        int shift = Shift;
        record->Pad0 = 0;
        record->TscTimestamp = SystemTime.BaseTsc;
        record->SystemTime = SystemTime.Base;
        record->TscToSystemMul = (uint)(SystemTime.Scale >> shift);
        record->TscShift = (sbyte)shift;
        record->Flags = SystemTime.IsTscStable ? PvClockFlags.TscStableBit : (byte)0;
    }
}
