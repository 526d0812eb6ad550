// SPDX-License-Identifier: MIT

using System.Runtime;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Time;
using Hypervisor.X64.Apic;

namespace Hypervisor.X64.Entry;

/// <summary>What CPUs do for each other.</summary>
public static unsafe class CpuServices
{
    [RuntimeExport("machine_spin_wait")]
    public static void SpinWait()
    {
        CpuInfo* cpu = Machine.Cpu;
        TlbFlush.Serve(cpu);
        LockupWatch.OnWait(cpu);
        Machine.Pause();
    }

    [RuntimeExport("machine_kick")]
    public static void Kick(uint cpu) =>
        LocalApic.SendInterrupt(Machine.CpuOf(cpu)->LocalApicId, Vector.EventCheck);

    [RuntimeExport("machine_send_nmi")]
    public static void SendNmi(uint cpu) => LocalApic.SendNmi(Machine.CpuOf(cpu)->LocalApicId);

    [RuntimeExport("machine_request_flush")]
    public static void RequestFlush(uint cpu) =>
        LocalApic.SendInterrupt(Machine.CpuOf(cpu)->LocalApicId, Vector.FlushTlb);
}
