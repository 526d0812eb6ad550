// SPDX-License-Identifier: MIT

using System.Threading;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core.Diagnostics;

/// <summary>Debug keys q and r: domains with their vCPUs; what runs and waits on each CPU.</summary>
public static unsafe class DomainDump
{
    /// <summary>vCPUs shown of one domain.</summary>
    private const uint MaxVcpus = 32;

    /// <summary>Every domain and its vCPUs.</summary>
    public static void Print()
    {
        uint id = 0;
        for (Domain* domain = DomainWalk.Next(ref id); domain != null; domain = DomainWalk.Next(ref id))
        {
            PrintDomain(domain);
            for (uint number = 0; number < domain->MaxVcpuCount && number < MaxVcpus; number++)
            {
                Vcpu* vcpu = domain->VcpuOf(number);
                if (vcpu != null)
                {
                    PrintVcpu(vcpu);
                }
            }

            _ = DomainTable.Put(domain);
        }
    }

    /// <summary>The scheduler, and for each CPU what runs there and what waits. The CPU that prints may do so before it
    /// chooses: whoever has been woken by the same interrupt waits for the report's end.</summary>
    public static void PrintRunQueues()
    {
        SchedSystem* system = ((SchedCpu*)Machine.Cpu->SchedCpu)->System;
        ulong now = SystemTime.Now();
        Log.Error("scheduler "u8).Text(PolicyTable.NameOf(system->Policy)).Text(", now "u8)
            .Decimal(now).Text(" ns"u8).End();
        for (uint number = 0; number < Machine.OnlineCpus; number++)
        {
            SchedCpu* cpu = (SchedCpu*)Machine.CpuOf(number)->SchedCpu;
            if (cpu == null)
            {
                continue;
            }

            cpu->Lock.Acquire();
            uint waiting = cpu->Waiting;
            Vcpu* running = cpu->Running == null ? null : (Vcpu*)cpu->Running->Owner;
            LogLine line = Log.Error("  CPU "u8).Decimal(number).Text(": "u8).Decimal(waiting).Text(" waiting, "u8);
            line = running == null
                ? line.Text(number == Machine.Cpu->CpuId ? "idle before this report"u8 : "idle"u8)
                : line.Text("runs d"u8).Decimal((uint)running->Domain->Id).Text("v"u8).Decimal(running->Id);
            cpu->Lock.Release();
            line.End();
            PrintWaiting(number, now);
        }
    }

    private static void PrintWaiting(uint cpu, ulong now)
    {
        uint id = 0;
        for (Domain* domain = DomainWalk.Next(ref id); domain != null; domain = DomainWalk.Next(ref id))
        {
            for (uint number = 0; number < domain->MaxVcpuCount; number++)
            {
                Vcpu* vcpu = domain->VcpuOf(number);
                if (vcpu != null && vcpu->Sched.Cpu == cpu && vcpu->Sched.IsAwake && !vcpu->Sched.IsRunning)
                {
                    Log.Error("    waits: d"u8).Decimal((uint)domain->Id).Text("v"u8).Decimal(number)
                        .Text(" for "u8).Decimal(Elapsed(vcpu->Time.StateSince, now)).Text(" ns"u8).End();
                }
            }

            _ = DomainTable.Put(domain);
        }
    }

    private static void PrintDomain(Domain* domain)
    {
        Log.Error("domain "u8).Decimal((uint)domain->Id).Text(domain->IsPrivileged ? " privileged"u8 : ""u8)
            .Text(domain->IsDying ? " dying"u8 : ""u8).Text(domain->IsShutDown ? " shut down, reason "u8 : ""u8)
            .Text(domain->IsShutDown ? Digit(domain->ShutdownCode) : ""u8)
            .Text(domain->IsPausedByTools ? " paused"u8 : ""u8)
            .Text(": references "u8).Decimal(Volatile.Read(ref domain->References))
            .Text(", pages "u8).Decimal(domain->TotalPages).Text(" of "u8).Decimal(domain->MaxPages)
            .Text(", kept for it "u8).Decimal((ulong)domain->KeptFrames).Text(" of "u8).Decimal((ulong)domain->KeptLimit)
            .Text(", vCPUs "u8).Decimal(domain->VcpuCount).Text(", ports "u8).Decimal(domain->Events.PortsInUse)
            .Text(", grant frames "u8).Decimal(domain->Grants.FrameCount)
            .Text(", mappings "u8).Decimal(domain->Grants.MappingCount)
            .Text(", assists "u8).Hex(domain->VmAssist).End();
        if (domain->IsDying)
        {
            Log.Error("  destruction: stage "u8).Decimal(domain->DestructionStage).Text(", at "u8)
                .Hex(domain->DestructionCursor).End();
        }
    }

    private static void PrintVcpu(Vcpu* vcpu)
    {
        VcpuInfo* info = vcpu->Info;
        VcpuRunStateInfo times;
        VcpuScheduling.ReadRunState(vcpu, &times);
        Log.Error("  v"u8).Decimal(vcpu->Id).Text(": CPU "u8).Decimal(vcpu->Sched.Cpu)
            .Text(vcpu->Sched.IsRunning ? " runs"u8 : vcpu->Sched.IsBlocked != 0 ? " blocked"u8
                : vcpu->Offline ? " offline"u8 : vcpu->Sched.IsAwake ? " waits"u8 : " asleep"u8)
            .Text(" pauses "u8).Decimal(Volatile.Read(ref vcpu->PauseCount))
            .Text(" upcall "u8).Text(info->EventChannelUpcallPending != 0 ? "pending"u8 : "none"u8)
            .Text(info->EventChannelUpcallMask != 0 ? " masked"u8 : ""u8)
            .Text(" affinity "u8).Hex(vcpu->Sched.HardAffinity.Bits).Text("/"u8).Hex(vcpu->Sched.SoftAffinity.Bits)
            .Text(" running "u8).Decimal(times.Time[0]).Text(" runnable "u8).Decimal(times.Time[1])
            .Text(" blocked "u8).Decimal(times.Time[2]).Text(" ns"u8).End();
        if (vcpu->Sched.PolledPort != SchedUnit.NoPort && vcpu->Sched.IsBlocked != 0)
        {
            Log.Error("    polls port "u8).Decimal(vcpu->Sched.PolledPort).End();
        }
    }

    private static System.ReadOnlySpan<byte> Digit(byte code) => "0123456789"u8.Slice(code < 10 ? code : 9, 1);

    private static ulong Elapsed(ulong since, ulong now) => now > since ? now - since : 0;
}
