// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Traps;

/// <summary>
/// Guest kernel and guest user mode: both ring 3, told apart by <see cref="Vcpu.InKernelMode"/>, each with its own
/// page-table root and GS base.
/// </summary>
public static unsafe class GuestMode
{
    /// <summary>From user to kernel, for the vCPU that runs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EnterKernel(Vcpu* vcpu)
    {
        vcpu->InKernelMode = true;
        uint stamp = TlbFlush.Begin();
        TlbFlush.End(Machine.SwitchGuestMode(vcpu->Cr3Kernel), stamp);
    }

    /// <summary>From kernel to user; the vCPU has a user root.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EnterUser(Vcpu* vcpu)
    {
        vcpu->InKernelMode = false;
        uint stamp = TlbFlush.Begin();
        TlbFlush.End(Machine.SwitchGuestMode(vcpu->Cr3User), stamp);
    }
}
