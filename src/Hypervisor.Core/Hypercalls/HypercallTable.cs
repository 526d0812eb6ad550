// SPDX-License-Identifier: MIT

using Hypervisor.Core.Console;
using Hypervisor.Core.Control;
using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Every hypercall and its body. A number that is not here answers ENOSYS.</summary>
public static unsafe class HypercallTable
{
    //  number                                body                              arguments
    public static HypercallResult Dispatch(Vcpu* v, CpuUserRegs* f) => (HypercallNumber)f->Rax switch
    {
        HypercallNumber.SetTrapTable => TrapTableOps.Set(v, f->Rdi),
        HypercallNumber.MmuUpdate => MmuUpdateOps.Run(v, f->Rdi, (uint)f->Rsi, f->Rdx, (uint)f->R10, f),
        HypercallNumber.SetGdt => DescriptorOps.SetGdt(v, f->Rdi, (uint)f->Rsi),
        HypercallNumber.StackSwitch => StackOps.Switch(v, f->Rdi, f->Rsi),
        HypercallNumber.FpuTaskSwitch => StackOps.SetTaskSwitched(v, (uint)f->Rdi),
        HypercallNumber.PlatformOp => PlatformOps.Dispatch(v, f->Rdi, f),
        HypercallNumber.SetDebugReg => DebugRegisterOps.Set(v, Number(f->Rdi), f->Rsi),
        HypercallNumber.GetDebugReg => HypercallResult.Value(DebugRegisterOps.Get(v, Number(f->Rdi))),
        HypercallNumber.UpdateDescriptor => DescriptorTables.Update(v, f->Rdi, f->Rsi),
        HypercallNumber.MemoryOp => MemoryOps.Dispatch(v, f->Rdi, f->Rsi, f),
        HypercallNumber.Multicall => Multicall.Run(v, f->Rdi, (uint)f->Rsi, f),
        HypercallNumber.UpdateVaMapping => VaMappingOps.Run(v, f->Rdi, f->Rsi, f->Rdx),
        HypercallNumber.SetTimerOp => VcpuTimers.SetTimerOp(v, f->Rdi),
        HypercallNumber.XenVersion => VersionOps.Dispatch(v, (uint)f->Rdi, f->Rsi),
        HypercallNumber.ConsoleIo => ConsoleOps.Dispatch(v, (uint)f->Rdi, (uint)f->Rsi, f->Rdx, f),
        HypercallNumber.GrantTableOp => GrantTableOps.Dispatch(v, (uint)f->Rdi, f->Rsi, (uint)f->Rdx, f),
        HypercallNumber.VmAssist => StackOps.Assist(v, (uint)f->Rdi, (uint)f->Rsi),
        HypercallNumber.UpdateVaMappingOtherDomain =>
            VaMappingOps.RunForOther(v, f->Rdi, f->Rsi, f->Rdx, (uint)f->R10),
        HypercallNumber.VcpuOp => VcpuOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f->Rdx, f),
        HypercallNumber.SetSegmentBase => SegmentOps.SetBase(v, (uint)f->Rdi, f->Rsi),
        HypercallNumber.MmuExtOp => MmuExtOps.Run(v, f->Rdi, (uint)f->Rsi, f->Rdx, (uint)f->R10, f),
        HypercallNumber.SchedOp => SchedOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f),
        HypercallNumber.CallbackOp => CallbackOps.Dispatch(v, (uint)f->Rdi, f->Rsi),
        HypercallNumber.EventChannelOp => EventChannelOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f),
        HypercallNumber.PhysDevOp => PhysDevOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f),
        HypercallNumber.SysCtl => SysCtlOps.Dispatch(v, f->Rdi, f),
        HypercallNumber.DomCtl => DomCtlOps.Dispatch(v, f->Rdi, f),
        _ => Errno.NoSys,
    };

    private static int Number(ulong register) => register < 8 ? (int)register : -1;
}
