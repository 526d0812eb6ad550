// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct xen_domctl</c>: argument of domctl.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x90)]
public unsafe struct DomCtl
{
    /// <summary><c>cmd</c>: <see cref="DomCtlCommand"/>.</summary>
    [FieldOffset(0x0)]
    public uint Cmd;

    /// <summary><c>interface_version</c>: <see cref="DomCtlInterface.Version"/>.</summary>
    [FieldOffset(0x4)]
    public uint InterfaceVersion;

    /// <summary><c>domain</c>.</summary>
    [FieldOffset(0x8)]
    public DomId Domain;

    /// <summary><c>_pad</c>.</summary>
    [FieldOffset(0xa)]
    public fixed ushort Pad[3];

    /// <summary><c>u.createdomain</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlCreateDomain CreateDomain;

    /// <summary><c>u.getdomaininfo</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlGetDomainInfo GetDomainInfo;

    /// <summary><c>u.getpageframeinfo3</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlGetPageFrameInfo3 GetPageFrameInfo3;

    /// <summary><c>u.nodeaffinity</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlNodeAffinity NodeAffinity;

    /// <summary><c>u.vcpuaffinity</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlVcpuAffinity VcpuAffinity;

    /// <summary><c>u.shadow_op</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlShadowOp ShadowOp;

    /// <summary><c>u.max_mem</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlMaxMem MaxMem;

    /// <summary><c>u.vcpucontext</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlVcpuContext VcpuContext;

    /// <summary><c>u.getvcpuinfo</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlGetVcpuInfo GetVcpuInfo;

    /// <summary><c>u.max_vcpus</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlMaxVcpus MaxVcpus;

    /// <summary><c>u.scheduler_op</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSchedulerOp SchedulerOp;

    /// <summary><c>u.setdomainhandle</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSetDomainHandle SetDomainHandle;

    /// <summary><c>u.setdebugging</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSetDebugging SetDebugging;

    /// <summary><c>u.irq_permission</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlIrqPermission IrqPermission;

    /// <summary><c>u.iomem_permission</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlIoMemPermission IoMemPermission;

    /// <summary><c>u.ioport_permission</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlIoPortPermission IoPortPermission;

    /// <summary><c>u.hypercall_init</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlHypercallInit HypercallInit;

    /// <summary><c>u.settimeoffset</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSetTimeOffset SetTimeOffset;

    /// <summary><c>u.tsc_info</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlTscInfo TscInfo;

    /// <summary><c>u.hvmcontext</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlHvmContext HvmContext;

    /// <summary><c>u.hvmcontext_partial</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlHvmContextPartial HvmContextPartial;

    /// <summary><c>u.address_size</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlAddressSize AddressSize;

    /// <summary><c>u.sendtrigger</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSendTrigger SendTrigger;

    /// <summary><c>u.get_device_group</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlGetDeviceGroup GetDeviceGroup;

    /// <summary><c>u.assign_device</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlAssignDevice AssignDevice;

    /// <summary><c>u.bind_pt_irq</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlBindPtIrq BindPtIrq;

    /// <summary><c>u.memory_mapping</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlMemoryMapping MemoryMapping;

    /// <summary><c>u.ioport_mapping</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlIoPortMapping IoPortMapping;

    /// <summary><c>u.ext_vcpucontext</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlExtVcpuContext ExtVcpuContext;

    /// <summary><c>u.set_target</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSetTarget SetTarget;

    /// <summary><c>u.subscribe</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSubscribe Subscribe;

    /// <summary><c>u.debug_op</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlDebugOp DebugOp;

    /// <summary><c>u.cpu_policy</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlCpuPolicy CpuPolicy;

    /// <summary><c>u.vcpuextstate</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlVcpuExtState VcpuExtState;

    /// <summary><c>u.vcpu_msrs</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlVcpuMsrs VcpuMsrs;

    /// <summary><c>u.audit_p2m</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlAuditP2M AuditP2M;

    /// <summary><c>u.set_virq_handler</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSetVirqHandler SetVirqHandler;

    /// <summary><c>u.set_broken_page_p2m</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlSetBrokenPageP2M SetBrokenPageP2M;

    /// <summary><c>u.cacheflush</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlCacheFlush CacheFlush;

    /// <summary><c>u.vnuma</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlVNuma VNuma;

    /// <summary><c>u.paging_mempool</c>.</summary>
    [FieldOffset(0x10)]
    public DomCtlPagingMemPool PagingMemPool;
}

/// <summary><c>struct xenctl_bitmap</c>: a bit map in the memory of the caller.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct XenCtlBitmap
{
    /// <summary><c>bitmap</c>: guest address of its bytes.</summary>
    public ulong Bitmap;

    /// <summary><c>nr_bits</c>.</summary>
    public uint NrBits;
}
