// SPDX-License-Identifier: MIT

using System.Runtime;
using Hypervisor.Core;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Core.Traps;
using Hypervisor.X64.Apic;
using Hypervisor.X64.Boot;
using Xen.Abi;

namespace Hypervisor.X64.Entry;

/// <summary>Interrupts, traps of the hypervisor itself, and the slow way back to a guest.</summary>
public static unsafe class InterruptEntry
{
    [RuntimeExport("interrupt_from_guest")]
    public static void FromGuest(Vcpu* vcpu, CpuUserRegs* frame) => Handle((byte)frame->EntryVector);

    /// <summary>An interrupt at a preemption point or in the idle loop.</summary>
    [RuntimeExport("interrupt_in_hypervisor")]
    public static void InHypervisor(uint vector) => Handle((byte)vector);

    /// <summary>
    /// Soft interrupts and what else waits (<see cref="VcpuWork"/>), until a vCPU can go on; its upcall too.
    /// </summary>
    [RuntimeExport("return_work")]
    public static void ReturnWork(Vcpu* vcpu, CpuUserRegs* frame)
    {
        CpuInfo* cpu = Machine.Cpu;
        while (true)
        {
            SoftIrqs.Run(cpu);
            vcpu = (Vcpu*)cpu->Current;
            if ((vcpu->Work & VcpuWork.ReleaseTable) != 0)
            {
                PageTables.ContinueParked(vcpu);
                Machine.InterruptWindow();
                continue;
            }

            if ((vcpu->Work & VcpuWork.Time) != 0)
            {
                GuestTime.Renew(vcpu);
            }

            if ((vcpu->Work & VcpuWork.Nmi) != 0)
            {
                Nmis.Deliver(vcpu, frame);
            }

            if (cpu->SoftIrqPending == 0)
            {
                break;
            }
        }

        VcpuInfo* info = vcpu->Info;
        if (info->EventChannelUpcallPending != 0 && info->EventChannelUpcallMask == 0)
        {
            GuestBounce.DeliverUpcall(vcpu, frame);
        }
    }

    /// <summary>An exception in ring 0: a guarded access goes on at its fixup, anything else is the end.</summary>
    [RuntimeExport("trap_from_hypervisor")]
    public static void TrapFromHypervisor(CpuUserRegs* frame)
    {
        int vector = (byte)frame->EntryVector;
        if (vector == Vector.PageFault && PageFault.TryFillLdt((Vcpu*)Machine.Cpu->Current, Machine.ReadCr2()))
        {
            return;
        }

        for (ulong* fixup = ImageLayout.FixupsStart; fixup < ImageLayout.FixupsEnd; fixup += 2)
        {
            if (fixup[0] == frame->Rip)
            {
                Trace.Record(TraceEvent.Fixup, (ulong)vector, fixup[0]);
                frame->Rip = fixup[1];
                return;
            }
        }

        Machine.Panic("an exception in the hypervisor"u8, frame);
    }

    /// <summary>NMI, #DB, #DF or #MC that interrupted ring 0: takes no lock and does not fault.</summary>
    [RuntimeExport("nmi_in_hypervisor")]
    public static void NmiInHypervisor(CpuUserRegs* frame)
    {
        switch ((byte)frame->EntryVector)
        {
            case Vector.Nmi:
                _ = Nmis.IsDealtWith(frame); // in ring 0 there is no Domain-0 to take it
                return;
            case Vector.Debug:
                // A guest's breakpoint on memory that the hypervisor touched for it, or a MOV SS before an entry.
                Machine.WriteDebugRegister(6, 0xFFFF0FF0);
                return;
            case Vector.DoubleFault:
                Machine.Panic(
                    StackGuard.IsOverflow(frame->Rsp, Machine.ReadCr2())
                        ? "a stack of the hypervisor overflowed"u8
                        : "double fault"u8,
                    frame);
                return;
            default:
                Machine.Panic("machine check"u8, frame);
                return;
        }
    }

    private static void Handle(int vector)
    {
        switch (vector)
        {
            case Vector.Timer:
                LocalApic.EndOfInterrupt();
                Machine.RaiseSoftIrq(SoftIrq.Timer);
                break;
            case Vector.EventCheck:
                LocalApic.EndOfInterrupt();
                SoftIrqs.Receive(Machine.Cpu);
                break;
            case Vector.FlushTlb:
                LocalApic.EndOfInterrupt();
                TlbFlush.Serve(Machine.Cpu);
                break;
            case Vector.Spurious:
                IrqTable.CountSpurious();
                break;
            case Vector.Error:
                Log.Warning("local APIC error "u8).Hex(LocalApic.ReadErrors()).End();
                LocalApic.EndOfInterrupt();
                break;
            default:
                Trace.Record(TraceEvent.Interrupt, (ulong)vector, 0);
                IrqTable.Handle(vector);
                break;
        }
    }
}
