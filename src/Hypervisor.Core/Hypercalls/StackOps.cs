// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Hypervisor.Core.Traps;
using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Small calls that set one thing of the vCPU or domain: stack_switch, fpu_taskswitch, vm_assist, debug registers.</summary>
public static unsafe class StackOps
{
    private const ulong Assists =
        (1UL << (int)VmAssistType.FourGbSegments) | (1UL << (int)VmAssistType.WritablePageTables)
        | (1UL << (int)VmAssistType.PaeExtendedCr3) | (1UL << (int)VmAssistType.RunStateUpdateFlag);

    /// <summary>Where the guest kernel's stack begins when it is entered from user mode.</summary>
    public static HypercallResult Switch(Vcpu* vcpu, ulong segment, ulong stack)
    {
        vcpu->KernelStackSegment = (segment & 0xFFFF) | 3;
        vcpu->KernelStack = stack;
        return Errno.Ok;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static HypercallResult SetTaskSwitched(Vcpu* vcpu, uint set)
    {
        PrivilegedOps.SetTaskSwitched(vcpu, set != 0);
        return Errno.Ok;
    }

    /// <summary>Hypercall set_debugreg.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static HypercallResult SetDebugRegister(Vcpu* vcpu, ulong number, ulong value) =>
        number < 8 ? DebugRegisterOps.Set(vcpu, (int)number, value) : Errno.Inval;

    /// <summary>Hypercall get_debugreg.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static HypercallResult GetDebugRegister(Vcpu* vcpu, ulong number) =>
        number < 8 ? HypercallResult.Value(DebugRegisterOps.Get(vcpu, (int)number)) : Errno.Inval;

    public static HypercallResult Assist(Vcpu* vcpu, uint command, uint type)
    {
        if (type >= 64 || ((Assists >> (int)type) & 1) == 0)
        {
            return Errno.Inval;
        }

        switch ((VmAssistCommand)command)
        {
            case VmAssistCommand.Enable:
                vcpu->Domain->VmAssist |= 1UL << (int)type;
                return Errno.Ok;
            case VmAssistCommand.Disable:
                vcpu->Domain->VmAssist &= ~(1UL << (int)type);
                return Errno.Ok;
            default:
                return Errno.NoSys;
        }
    }
}
