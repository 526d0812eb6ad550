// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_domctl_vcpucontext</c>: argument of setvcpucontext and getvcpucontext.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlVcpuContext
{
    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>ctxt</c>: guest address of the <see cref="VcpuGuestContext"/>.</summary>
    public ulong Ctxt;
}

/// <summary><c>struct xen_domctl_getvcpuinfo</c>: argument of getvcpuinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlGetVcpuInfo
{
    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>online</c>.</summary>
    public byte Online;

    /// <summary><c>blocked</c>.</summary>
    public byte Blocked;

    /// <summary><c>running</c>.</summary>
    public byte Running;

    /// <summary><c>cpu_time</c>: nanoseconds.</summary>
    public ulong CpuTime;

    /// <summary><c>cpu</c>: where it runs.</summary>
    public uint Cpu;
}

/// <summary><c>struct xen_domctl_vcpuaffinity</c>: argument of setvcpuaffinity and getvcpuaffinity.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlVcpuAffinity
{
    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>flags</c>: <see cref="VcpuAffinityFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>cpumap_hard</c>.</summary>
    public XenCtlBitmap CpuMapHard;

    /// <summary><c>cpumap_soft</c>.</summary>
    public XenCtlBitmap CpuMapSoft;
}

/// <summary>
/// <c>struct xen_domctl_ext_vcpucontext</c>: argument of set_ext_vcpucontext and get_ext_vcpucontext.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlExtVcpuContext
{
    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>size</c>: bytes of this structure.</summary>
    public uint Size;

    /// <summary><c>syscall32_callback_eip</c>.</summary>
    public ulong SysCall32CallbackEip;

    /// <summary><c>sysenter_callback_eip</c>.</summary>
    public ulong SysEnterCallbackEip;

    /// <summary><c>syscall32_callback_cs</c>.</summary>
    public ushort SysCall32CallbackCs;

    /// <summary><c>sysenter_callback_cs</c>.</summary>
    public ushort SysEnterCallbackCs;

    /// <summary><c>syscall32_disables_events</c>.</summary>
    public byte SysCall32DisablesEvents;

    /// <summary><c>sysenter_disables_events</c>.</summary>
    public byte SysEnterDisablesEvents;

    /// <summary><c>vmce.caps</c>.</summary>
    public ulong VmceCaps;

    /// <summary><c>vmce.mci_ctl2_bank0</c>.</summary>
    public ulong VmceMciCtl2Bank0;

    /// <summary><c>vmce.mci_ctl2_bank1</c>.</summary>
    public ulong VmceMciCtl2Bank1;

    /// <summary><c>vmce.mcg_ext_ctl</c>.</summary>
    public ulong VmceMcgExtCtl;
}

/// <summary><c>struct xen_domctl_vcpuextstate</c>: argument of setvcpuextstate and getvcpuextstate.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlVcpuExtState
{
    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>xfeature_mask</c>: components.</summary>
    public ulong XfeatureMask;

    /// <summary><c>size</c>.</summary>
    public ulong Size;

    /// <summary><c>buffer</c>: guest address of the XSAVE image, preceded by two words of components.</summary>
    public ulong Buffer;
}

/// <summary><c>struct xen_domctl_vcpu_msrs</c>: argument of get_vcpu_msrs and set_vcpu_msrs.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlVcpuMsrs
{
    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;

    /// <summary><c>msr_count</c>.</summary>
    public uint MsrCount;

    /// <summary><c>msrs</c>: guest address of the <see cref="DomCtlVcpuMsr"/> list.</summary>
    public ulong Msrs;
}

/// <summary><c>struct xen_domctl_vcpu_msr</c>: one MSR of a vCPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlVcpuMsr
{
    /// <summary><c>index</c>.</summary>
    public uint Index;

    /// <summary><c>reserved</c>.</summary>
    public uint Reserved;

    /// <summary><c>value</c>.</summary>
    public ulong Value;
}
