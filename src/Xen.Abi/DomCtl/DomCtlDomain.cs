// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_domctl_createdomain</c>: argument of createdomain.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomCtlCreateDomain
{
    /// <summary><c>ssidref</c>.</summary>
    public uint SsidRef;

    /// <summary><c>handle</c>: UUID.</summary>
    public fixed byte Handle[16];

    /// <summary><c>flags</c>: <see cref="CreateDomainFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>iommu_opts</c>: <see cref="CreateDomainIommuOptions"/>.</summary>
    public uint IommuOpts;

    /// <summary><c>max_vcpus</c>.</summary>
    public uint MaxVcpus;

    /// <summary><c>max_evtchn_port</c>: highest port.</summary>
    public uint MaxEventChannelPort;

    /// <summary><c>max_grant_frames</c>: negative means the default.</summary>
    public int MaxGrantFrames;

    /// <summary><c>max_maptrack_frames</c>: negative means the default.</summary>
    public int MaxMapTrackFrames;

    /// <summary><c>grant_opts</c>: <see cref="CreateDomainGrantOptions"/>.</summary>
    public uint GrantOpts;

    /// <summary><c>vmtrace_size</c>.</summary>
    public uint VmTraceSize;

    /// <summary><c>cpupool_id</c>.</summary>
    public uint CpuPoolId;

    /// <summary><c>arch</c>.</summary>
    public ArchDomainConfig Arch;
}

/// <summary><c>struct xen_arch_domainconfig</c>: x86 part of createdomain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ArchDomainConfig
{
    /// <summary><c>emulation_flags</c>: <see cref="EmulationFlags"/>.</summary>
    public uint EmulationFlags;

    /// <summary><c>misc_flags</c>: <see cref="ArchDomainMiscFlags"/>.</summary>
    public uint MiscFlags;
}

/// <summary><c>struct xen_domctl_getdomaininfo</c>: state of a domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomCtlGetDomainInfo
{
    /// <summary><c>domain</c>.</summary>
    public DomId Domain;

    /// <summary><c>pad1</c>.</summary>
    public ushort Pad1;

    /// <summary><c>flags</c>: <see cref="DomainInfoFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>tot_pages</c>: pages it has.</summary>
    public ulong TotPages;

    /// <summary><c>max_pages</c>: pages it may have.</summary>
    public ulong MaxPages;

    /// <summary><c>outstanding_pages</c>: claimed and not yet allocated.</summary>
    public ulong OutstandingPages;

    /// <summary><c>shr_pages</c>.</summary>
    public ulong ShrPages;

    /// <summary><c>paged_pages</c>.</summary>
    public ulong PagedPages;

    /// <summary><c>shared_info_frame</c>: machine frame.</summary>
    public ulong SharedInfoFrame;

    /// <summary><c>cpu_time</c>: nanoseconds, all vCPUs.</summary>
    public ulong CpuTime;

    /// <summary><c>nr_online_vcpus</c>.</summary>
    public uint NrOnlineVcpus;

    /// <summary><c>max_vcpu_id</c>.</summary>
    public uint MaxVcpuId;

    /// <summary><c>ssidref</c>.</summary>
    public uint SsidRef;

    /// <summary><c>handle</c>: UUID.</summary>
    public fixed byte Handle[16];

    /// <summary><c>cpupool</c>.</summary>
    public uint CpuPool;

    /// <summary><c>gpaddr_bits</c>.</summary>
    public byte GpaddrBits;

    /// <summary><c>pad2</c>.</summary>
    public fixed byte Pad2[7];

    /// <summary><c>arch_config</c>.</summary>
    public ArchDomainConfig ArchConfig;
}

/// <summary><c>struct xen_domctl_max_mem</c>: argument of max_mem.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlMaxMem
{
    /// <summary><c>max_memkb</c>: KiB.</summary>
    public ulong MaxMemKb;
}

/// <summary><c>struct xen_domctl_max_vcpus</c>: argument of max_vcpus.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlMaxVcpus
{
    /// <summary><c>max</c>.</summary>
    public uint Max;
}

/// <summary><c>struct xen_domctl_setdomainhandle</c>: argument of setdomainhandle.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomCtlSetDomainHandle
{
    /// <summary><c>handle</c>: UUID.</summary>
    public fixed byte Handle[16];
}

/// <summary><c>struct xen_domctl_setdebugging</c>: argument of setdebugging.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSetDebugging
{
    /// <summary><c>enable</c>.</summary>
    public byte Enable;
}

/// <summary><c>struct xen_domctl_settimeoffset</c>: argument of settimeoffset.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSetTimeOffset
{
    /// <summary><c>time_offset_seconds</c>: of the wall clock the domain sees.</summary>
    public long TimeOffsetSeconds;
}

/// <summary><c>struct xen_domctl_address_size</c>: argument of set_address_size and get_address_size.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlAddressSize
{
    /// <summary><c>size</c>: 64 or 32.</summary>
    public uint Size;
}

/// <summary><c>struct xen_domctl_hypercall_init</c>: argument of hypercall_init.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlHypercallInit
{
    /// <summary><c>gmfn</c>: frame to be filled with call stubs.</summary>
    public ulong Gmfn;
}

/// <summary><c>struct xen_domctl_sendtrigger</c>: argument of sendtrigger.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSendTrigger
{
    /// <summary><c>trigger</c>: <see cref="TriggerType"/>.</summary>
    public uint Trigger;

    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;
}

/// <summary><c>struct xen_domctl_subscribe</c>: argument of subscribe.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSubscribe
{
    /// <summary><c>port</c>: signalled when the domain suspends.</summary>
    public uint Port;
}

/// <summary><c>struct xen_domctl_set_target</c>: argument of set_target.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSetTarget
{
    /// <summary><c>target</c>.</summary>
    public DomId Target;
}

/// <summary><c>struct xen_domctl_set_virq_handler</c>: argument of set_virq_handler.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlSetVirqHandler
{
    /// <summary><c>virq</c>: <see cref="VirtualIrq"/>.</summary>
    public uint Virq;
}

/// <summary><c>struct xen_domctl_debug_op</c>: argument of debug_op.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlDebugOp
{
    /// <summary><c>op</c>: <see cref="DebugOperation"/>.</summary>
    public uint Op;

    /// <summary><c>vcpu</c>.</summary>
    public uint Vcpu;
}

/// <summary><c>struct xen_domctl_tsc_info</c>: argument of gettscinfo and settscinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlTscInfo
{
    /// <summary><c>tsc_mode</c>: 0 default, 1 always emulate, 2 never.</summary>
    public uint TscMode;

    /// <summary><c>gtsc_khz</c>: frequency the guest sees.</summary>
    public uint GtscKhz;

    /// <summary><c>incarnation</c>: times the domain was moved.</summary>
    public uint Incarnation;

    /// <summary><c>pad</c>.</summary>
    public uint Pad;

    /// <summary><c>elapsed_nsec</c>: since its start.</summary>
    public ulong ElapsedNsec;
}

/// <summary><c>struct xen_domctl_nodeaffinity</c>: argument of setnodeaffinity and getnodeaffinity.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlNodeAffinity
{
    /// <summary><c>nodemap</c>.</summary>
    public XenCtlBitmap NodeMap;
}

/// <summary><c>struct xen_domctl_vnuma</c>: argument of setvnumainfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlVNuma
{
    /// <summary><c>nr_vnodes</c>.</summary>
    public uint NrVNodes;

    /// <summary><c>nr_vmemranges</c>.</summary>
    public uint NrVMemRanges;

    /// <summary><c>nr_vcpus</c>.</summary>
    public uint NrVcpus;

    /// <summary><c>pad</c>.</summary>
    public uint Pad;

    /// <summary><c>vdistance</c>.</summary>
    public ulong Vdistance;

    /// <summary><c>vcpu_to_vnode</c>.</summary>
    public ulong VcpuToVNode;

    /// <summary><c>vnode_to_pnode</c>.</summary>
    public ulong VNodeToPnode;

    /// <summary><c>vmemrange</c>.</summary>
    public ulong VMemRange;
}

/// <summary><c>struct xen_domctl_cpu_policy</c>: argument of get_cpu_policy and set_cpu_policy.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DomCtlCpuPolicy
{
    /// <summary><c>nr_leaves</c>.</summary>
    public uint NrLeaves;

    /// <summary><c>nr_msrs</c>.</summary>
    public uint NrMsrs;

    /// <summary><c>leaves</c>: guest address of the <see cref="CpuIdLeaf"/> list.</summary>
    public ulong Leaves;

    /// <summary><c>msrs</c>: guest address of the <see cref="MsrEntry"/> list.</summary>
    public ulong Msrs;

    /// <summary><c>err_leaf</c>: set: what was refused.</summary>
    public uint ErrLeaf;

    /// <summary><c>err_subleaf</c>.</summary>
    public uint ErrSubleaf;

    /// <summary><c>err_msr</c>.</summary>
    public uint ErrMsr;
}

/// <summary><c>struct xen_cpuid_leaf</c>: one CPUID leaf.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CpuIdLeaf
{
    /// <summary><c>leaf</c>.</summary>
    public uint Leaf;

    /// <summary><c>subleaf</c>: all ones if the leaf has none.</summary>
    public uint Subleaf;

    /// <summary><c>a</c>.</summary>
    public uint A;

    /// <summary><c>b</c>.</summary>
    public uint B;

    /// <summary><c>c</c>.</summary>
    public uint C;

    /// <summary><c>d</c>.</summary>
    public uint D;
}

/// <summary><c>struct xen_msr_entry</c>: one MSR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MsrEntry
{
    /// <summary><c>idx</c>.</summary>
    public uint Idx;

    /// <summary><c>flags</c>: zero.</summary>
    public uint Flags;

    /// <summary><c>val</c>.</summary>
    public ulong Val;
}

/// <summary><c>XEN_CPUID_NO_SUBLEAF</c>: value of <see cref="CpuIdLeaf.Subleaf"/>.</summary>
public static class CpuIdNoSubleaf
{
    /// <summary><c>XEN_CPUID_NO_SUBLEAF</c>.</summary>
    public const uint Value = 0xffffffff;
}
