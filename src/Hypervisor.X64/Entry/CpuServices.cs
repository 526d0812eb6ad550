// SPDX-License-Identifier: MIT

using System.Runtime;
using Hypervisor.X64.Apic;

namespace Hypervisor.X64.Entry;

/// <summary>What CPUs do for each other. One CPU runs so far, so there is nobody to wait for or to kick.</summary>
public static unsafe class CpuServices
{
    [RuntimeExport("machine_spin_wait")]
    public static void SpinWait() => Machine.Pause();

    [RuntimeExport("machine_kick")]
    public static void Kick(uint cpu) =>
        LocalApic.SendInterrupt(Machine.CpuOf(cpu)->LocalApicId, Vector.EventCheck);

    [RuntimeExport("machine_flush_remote")]
    public static void FlushRemote() => Panic.Because("a remote flush with one CPU"u8);
}
