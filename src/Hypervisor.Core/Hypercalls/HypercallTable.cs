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
    // Every arm is the whole rest of the method, so that the compiler jumps to the body instead of calling it and needs no stack
    // frame here. Bodies that would be inlined with locals of their own are marked NoInlining for the same reason.
    public static HypercallResult Dispatch(Vcpu* v, CpuUserRegs* f)
    {
        switch ((HypercallNumber)f->Rax)
        {
            // number                              body                          arguments
            case HypercallNumber.SetTrapTable:
                return TrapTableOps.Set(v, f->Rdi);
            case HypercallNumber.MmuUpdate:
                return MmuUpdateOps.Run(v, f->Rdi, (uint)f->Rsi, f->Rdx, (uint)f->R10, f);
            case HypercallNumber.SetGdt:
                return DescriptorOps.SetGdt(v, f->Rdi, (uint)f->Rsi);
            case HypercallNumber.StackSwitch:
                return StackOps.Switch(v, f->Rdi, f->Rsi);
            case HypercallNumber.FpuTaskSwitch:
                return StackOps.SetTaskSwitched(v, (uint)f->Rdi);
            case HypercallNumber.PlatformOp:
                return PlatformOps.Dispatch(v, f->Rdi, f);
            case HypercallNumber.SetDebugReg:
                return StackOps.SetDebugRegister(v, f->Rdi, f->Rsi);
            case HypercallNumber.GetDebugReg:
                return StackOps.GetDebugRegister(v, f->Rdi);
            case HypercallNumber.UpdateDescriptor:
                return DescriptorOps.Update(v, f->Rdi, f->Rsi);
            case HypercallNumber.MemoryOp:
                return MemoryOps.Dispatch(v, f->Rdi, f->Rsi, f);
            case HypercallNumber.Multicall:
                return Multicall.Run(v, f->Rdi, (uint)f->Rsi, f);
            case HypercallNumber.UpdateVaMapping:
                return VaMappingOps.Run(v, f->Rdi, f->Rsi, f->Rdx);
            case HypercallNumber.SetTimerOp:
                return VcpuTimers.SetTimerOp(v, f->Rdi);
            case HypercallNumber.XenVersion:
                return VersionOps.Dispatch(v, (uint)f->Rdi, f->Rsi);
            case HypercallNumber.ConsoleIo:
                return ConsoleOps.Dispatch(v, (uint)f->Rdi, (uint)f->Rsi, f->Rdx, f);
            case HypercallNumber.GrantTableOp:
                return GrantTableOps.Dispatch(v, (uint)f->Rdi, f->Rsi, (uint)f->Rdx, f);
            case HypercallNumber.VmAssist:
                return StackOps.Assist(v, (uint)f->Rdi, (uint)f->Rsi);
            case HypercallNumber.UpdateVaMappingOtherDomain:
                return VaMappingOps.RunForOther(v, f->Rdi, f->Rsi, f->Rdx, (uint)f->R10);
            case HypercallNumber.VcpuOp:
                return VcpuOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f->Rdx, f);
            case HypercallNumber.SetSegmentBase:
                return SegmentOps.SetBase(v, (uint)f->Rdi, f->Rsi);
            case HypercallNumber.MmuExtOp:
                return MmuExtOps.Run(v, f->Rdi, (uint)f->Rsi, f->Rdx, (uint)f->R10, f);
            case HypercallNumber.SchedOp:
                return SchedOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f);
            case HypercallNumber.CallbackOp:
                return CallbackOps.Dispatch(v, (uint)f->Rdi, f->Rsi);
            case HypercallNumber.EventChannelOp:
                return EventChannelOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f);
            case HypercallNumber.PhysDevOp:
                return PhysDevOps.Dispatch(v, (uint)f->Rdi, f->Rsi, f);
            case HypercallNumber.Mca:
                return MachineCheckOps.Dispatch(v, f->Rdi);
            case HypercallNumber.SysCtl:
                return SysCtlOps.Dispatch(v, f->Rdi, f);
            case HypercallNumber.DomCtl:
                return DomCtlOps.Dispatch(v, f->Rdi, f);
            default:
                return Errno.NoSys;
        }
    }
}
