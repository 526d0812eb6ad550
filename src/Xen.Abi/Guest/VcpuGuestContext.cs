// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct vcpu_guest_context</c>: complete state of a PV vCPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuGuestContext
{
    /// <summary><c>fpu_ctxt.x</c>: FXSAVE image.</summary>
    public fixed byte FpuCtxt[512];

    /// <summary><c>flags</c>: <see cref="VgcfFlags"/>.</summary>
    public ulong Flags;

    /// <summary><c>user_regs</c>.</summary>
    public CpuUserRegs UserRegs;

    /// <summary><c>trap_ctxt</c>: virtual IDT.</summary>
    public fixed ulong RawTrapCtxt[256 * 2];

    /// <summary>
    /// <c>trap_ctxt</c>: element <paramref name="index"/> of 256; the caller has checked the index.
    /// </summary>
    public TrapInfo* TrapCtxt(int index)
    {
        fixed (ulong* first = RawTrapCtxt)
        {
            return (TrapInfo*)first + index;
        }
    }

    /// <summary><c>ldt_base</c>.</summary>
    public ulong LdtBase;

    /// <summary><c>ldt_ents</c>.</summary>
    public ulong LdtEnts;

    /// <summary><c>gdt_frames</c>: machine frames of the GDT.</summary>
    public fixed ulong GdtFrames[16];

    /// <summary><c>gdt_ents</c>.</summary>
    public ulong GdtEnts;

    /// <summary><c>kernel_ss</c>: virtual TSS: stack of the kernel.</summary>
    public ulong KernelSs;

    /// <summary><c>kernel_sp</c>.</summary>
    public ulong KernelSp;

    /// <summary><c>ctrlreg</c>: CR0 to CR7; [1] is the user page-table root, [3] the kernel one.</summary>
    public fixed ulong CtrlReg[8];

    /// <summary><c>debugreg</c>: DR0 to DR7.</summary>
    public fixed ulong DebugReg[8];

    /// <summary><c>event_callback_eip</c>.</summary>
    public ulong EventCallbackEip;

    /// <summary><c>failsafe_callback_eip</c>.</summary>
    public ulong FailsafeCallbackEip;

    /// <summary><c>syscall_callback_eip</c>.</summary>
    public ulong SyscallCallbackEip;

    /// <summary><c>vm_assist</c>: bit map of <see cref="VmAssistType"/>.</summary>
    public ulong VmAssist;

    /// <summary><c>fs_base</c>.</summary>
    public ulong FsBase;

    /// <summary><c>gs_base_kernel</c>.</summary>
    public ulong GsBaseKernel;

    /// <summary><c>gs_base_user</c>.</summary>
    public ulong GsBaseUser;
}

/// <summary><c>VGCF_*</c>: bits of <see cref="VcpuGuestContext.Flags"/> and <see cref="IretContext.Flags"/>.</summary>
public static class VgcfFlags
{
    /// <summary><c>VGCF_in_syscall</c>: iret only: the guest entered by SYSCALL, return by SYSRET.</summary>
    public const ulong InSyscall = 0x100;

    /// <summary><c>VGCF_i387_valid</c>.</summary>
    public const ulong I387Valid = 0x1;

    /// <summary><c>VGCF_in_kernel</c>.</summary>
    public const ulong InKernel = 0x4;

    /// <summary><c>VGCF_failsafe_disables_events</c>.</summary>
    public const ulong FailsafeDisablesEvents = 0x8;

    /// <summary><c>VGCF_syscall_disables_events</c>.</summary>
    public const ulong SyscallDisablesEvents = 0x10;

    /// <summary><c>VGCF_online</c>: the vCPU is up.</summary>
    public const ulong Online = 0x20;
}
