// SPDX-License-Identifier: MIT
// Soft interrupts: what interrupts and hypercalls leave to be done before the guest runs
// again. There is one stack for each CPU and nothing sleeps in the hypervisor, so this is where one vCPU gives way to
// another and where an idle CPU waits.
//
// The way back to a guest calls Run when CpuInfo.SoftIrqPending or Vcpu.Work is not zero. Run returns when nothing is
// pending and a vCPU's registers are in place, which need not be those of the vCPU that came in: CpuInfo.Current says
// whose.
//
// With nothing to run the CPU halts inside Run (Machine.Idle enables interrupts for as long as it sleeps; a request
// that comes after the last look at the pending bits ends the sleep at once). The last vCPU's registers stay loaded
// meanwhile: mostly it is that one which wakes next, and then nothing has to be loaded.
//
// CpuInfo.SoftIrqPending belongs to its CPU alone. Others leave their request in CpuScheduler.RemoteSoftIrqs and
// kick; the handler of that interrupt calls Receive.

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Console;
using Hypervisor.Core.Diagnostics;
using Hypervisor.Core.Time;

namespace Hypervisor.Core.Scheduling;

/// <summary>Work on the way back to a guest.</summary>
public static unsafe class SoftIrqs
{
    /// <summary>Raises a soft interrupt, one bit, on any CPU.</summary>
    public static void RaiseOn(uint cpu, uint bit)
    {
        CpuInfo* own = Machine.Cpu;
        if (own->CpuId == cpu)
        {
            own->SoftIrqPending |= bit;
            return;
        }

        // A bit that is there already has a kick on its way.
        CpuScheduler* other = CpuScheduler.Of(Machine.CpuOf(cpu));
        if (!Machine.TestAndSetBit(&other->RemoteSoftIrqs, (ulong)Machine.LowestBit(bit)))
        {
            Machine.Kick(cpu);
        }
    }

    /// <summary>Takes over what other CPUs asked for: the kick's interrupt handler.</summary>
    public static void Receive(CpuInfo* cpu)
    {
        CpuScheduler* scheduler = CpuScheduler.Of(cpu);
        if (Volatile.Read(ref scheduler->RemoteSoftIrqs) != 0)
        {
            cpu->SoftIrqPending |= (uint)Interlocked.Exchange(ref scheduler->RemoteSoftIrqs, 0);
        }
    }

    /// <summary>Does all that is pending, then comes back with a vCPU that may run. Interrupts are disabled.</summary>
    public static void Run(CpuInfo* cpu)
    {
        while (true)
        {
            Receive(cpu);
            uint pending = cpu->SoftIrqPending;
            if (pending != 0)
            {
                cpu->SoftIrqPending = 0;
                Serve(cpu, pending);
            }
            else if (CpuScheduler.Of(cpu)->Policy.Running != null)
            {
                return;
            }
            else
            {
                TimerQueue.Rearm(cpu);
                Machine.Idle();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Serve(CpuInfo* cpu, uint pending)
    {
        if ((pending & SoftIrq.Timer) != 0)
        {
            TimerQueue.RunDue(cpu);
        }

        if ((pending & SoftIrq.Console) != 0)
        {
            DebugKeys.ServeTyped();
        }

        if ((pending & SoftIrq.Question) != 0)
        {
            CpuQuestions.Answer();
        }

        // Last: whatever came before may have woken somebody.
        if ((pending & SoftIrq.Schedule) != 0)
        {
            VcpuScheduling.Reschedule(cpu);
        }
    }
}
