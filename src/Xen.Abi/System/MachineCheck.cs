// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>XEN_MC_*</c>: sub-operation of the machine-check call.</summary>
public enum MachineCheckCommand : uint
{
    /// <summary><c>XEN_MC_fetch</c>.</summary>
    Fetch = 1,

    /// <summary><c>XEN_MC_notifydomain</c>.</summary>
    NotifyDomain = 2,

    /// <summary><c>XEN_MC_physcpuinfo</c>.</summary>
    PhysCpuInfo = 3,

    /// <summary><c>XEN_MC_msrinject</c>.</summary>
    MsrInject = 4,

    /// <summary><c>XEN_MC_mceinject</c>.</summary>
    MceInject = 5,

    /// <summary><c>XEN_MC_inject_v2</c>.</summary>
    InjectV2 = 6,
}

/// <summary><c>XEN_MCA_INTERFACE_VERSION</c>: what <see cref="Mc.InterfaceVersion"/> must be.</summary>
public static class MachineCheckInterface
{
    /// <summary><c>XEN_MCA_INTERFACE_VERSION</c>.</summary>
    public const uint Version = 0x1ecc003;
}

/// <summary><c>XEN_MC_*</c>: bits of <see cref="McFetch.Flags"/>.</summary>
public static class MachineCheckFlags
{
    /// <summary><c>XEN_MC_NONURGENT</c>: in.</summary>
    public const uint NonUrgent = 0x1;

    /// <summary><c>XEN_MC_URGENT</c>: in.</summary>
    public const uint Urgent = 0x2;

    /// <summary><c>XEN_MC_ACK</c>: the record with that id has been read.</summary>
    public const uint Ack = 0x4;

    /// <summary><c>XEN_MC_OK</c>: out.</summary>
    public const uint Ok = 0x0;

    /// <summary><c>XEN_MC_FETCHFAILED</c>: out.</summary>
    public const uint FetchFailed = 0x1;

    /// <summary><c>XEN_MC_NODATA</c>: out.</summary>
    public const uint NoData = 0x2;

    /// <summary><c>XEN_MC_NOMATCH</c>: out.</summary>
    public const uint NoMatch = 0x4;
}

/// <summary><c>MC_TYPE_*</c>: values of <see cref="McInfoCommon.Type"/>.</summary>
public enum McInfoType : ushort
{
    /// <summary><c>MC_TYPE_GLOBAL</c>.</summary>
    Global = 0,

    /// <summary><c>MC_TYPE_BANK</c>.</summary>
    Bank = 1,

    /// <summary><c>MC_TYPE_EXTENDED</c>.</summary>
    Extended = 2,

    /// <summary><c>MC_TYPE_RECOVERY</c>.</summary>
    Recovery = 3,
}

/// <summary><c>struct xen_mc</c>: argument of the machine-check call.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x98)]
public struct Mc
{
    /// <summary><c>cmd</c>: <see cref="MachineCheckCommand"/>.</summary>
    [FieldOffset(0x0)]
    public uint Cmd;

    /// <summary><c>interface_version</c>: <see cref="MachineCheckInterface.Version"/>.</summary>
    [FieldOffset(0x4)]
    public uint InterfaceVersion;

    /// <summary><c>u.mc_fetch</c>.</summary>
    [FieldOffset(0x8)]
    public McFetch McFetch;

    /// <summary><c>u.mc_physcpuinfo</c>.</summary>
    [FieldOffset(0x8)]
    public McPhysCpuInfo McPhysCpuInfo;
}

/// <summary><c>struct xen_mc_fetch</c>: argument of fetch.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct McFetch
{
    /// <summary><c>flags</c>: <see cref="MachineCheckFlags"/>.</summary>
    public uint Flags;

    /// <summary><c>_pad0</c>.</summary>
    public uint Pad0;

    /// <summary><c>fetch_id</c>.</summary>
    public ulong FetchId;

    /// <summary><c>data</c>: guest address of the <see cref="McInfo"/>.</summary>
    public ulong Data;
}

/// <summary><c>struct xen_mc_physcpuinfo</c>: argument of physcpuinfo.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct McPhysCpuInfo
{
    /// <summary><c>ncpus</c>.</summary>
    public uint Ncpus;

    /// <summary><c>_pad0</c>.</summary>
    public uint Pad0;

    /// <summary><c>info</c>: guest address of the <see cref="McInfoLogicalCpu"/> list.</summary>
    public ulong Info;
}

/// <summary><c>struct mc_info</c>: records of one event.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct McInfo
{
    /// <summary><c>mi_nentries</c>: records in the data.</summary>
    public uint MiNEntries;

    /// <summary><c>flags</c>.</summary>
    public uint Flags;

    /// <summary><c>mi_data</c>.</summary>
    public fixed ulong MiData[95];
}

/// <summary><c>struct mcinfo_common</c>: head of every record.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct McInfoCommon
{
    /// <summary><c>type</c>: <see cref="McInfoType"/>.</summary>
    public ushort Type;

    /// <summary><c>size</c>: bytes with this head.</summary>
    public ushort Size;
}

/// <summary><c>struct mcinfo_global</c>: record of the event as a whole.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct McInfoGlobal
{
    /// <summary><c>common</c>.</summary>
    public McInfoCommon Common;

    /// <summary><c>mc_domid</c>.</summary>
    public ushort McDomid;

    /// <summary><c>mc_vcpuid</c>.</summary>
    public ushort McVcpuId;

    /// <summary><c>mc_socketid</c>.</summary>
    public uint McSocketId;

    /// <summary><c>mc_coreid</c>.</summary>
    public ushort McCoreId;

    /// <summary><c>mc_core_threadid</c>.</summary>
    public ushort McCoreThreadId;

    /// <summary><c>mc_apicid</c>.</summary>
    public uint McApicId;

    /// <summary><c>mc_flags</c>.</summary>
    public uint McFlags;

    /// <summary><c>mc_gstatus</c>.</summary>
    public ulong McGStatus;
}

/// <summary><c>struct mcinfo_bank</c>: record of one bank.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct McInfoBank
{
    /// <summary><c>common</c>.</summary>
    public McInfoCommon Common;

    /// <summary><c>mc_bank</c>.</summary>
    public ushort McBank;

    /// <summary><c>mc_domid</c>.</summary>
    public ushort McDomid;

    /// <summary><c>mc_status</c>.</summary>
    public ulong McStatus;

    /// <summary><c>mc_addr</c>.</summary>
    public ulong McAddr;

    /// <summary><c>mc_misc</c>.</summary>
    public ulong McMisc;

    /// <summary><c>mc_ctrl2</c>.</summary>
    public ulong McCtrl2;

    /// <summary><c>mc_tsc</c>.</summary>
    public ulong McTsc;
}

/// <summary><c>struct mcinfo_msr</c>: an MSR.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct McInfoMsr
{
    /// <summary><c>reg</c>.</summary>
    public ulong Reg;

    /// <summary><c>value</c>.</summary>
    public ulong Value;
}

/// <summary><c>struct mcinfo_logical_cpu</c>: one CPU.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct McInfoLogicalCpu
{
    /// <summary><c>mc_cpunr</c>.</summary>
    public uint McCpuNr;

    /// <summary><c>mc_chipid</c>.</summary>
    public uint McChipId;

    /// <summary><c>mc_coreid</c>.</summary>
    public ushort McCoreId;

    /// <summary><c>mc_threadid</c>.</summary>
    public ushort McThreadId;

    /// <summary><c>mc_apicid</c>.</summary>
    public uint McApicId;

    /// <summary><c>mc_clusterid</c>.</summary>
    public uint McClusterId;

    /// <summary><c>mc_ncores</c>.</summary>
    public uint McNCores;

    /// <summary><c>mc_ncores_active</c>.</summary>
    public uint McNCoresActive;

    /// <summary><c>mc_nthreads</c>.</summary>
    public uint McNThreads;

    /// <summary><c>mc_cpuid_level</c>.</summary>
    public int McCpuIdLevel;

    /// <summary><c>mc_family</c>.</summary>
    public uint McFamily;

    /// <summary><c>mc_vendor</c>.</summary>
    public uint McVendor;

    /// <summary><c>mc_model</c>.</summary>
    public uint McModel;

    /// <summary><c>mc_step</c>.</summary>
    public uint McStep;

    /// <summary><c>mc_vendorid</c>.</summary>
    public fixed byte McVendorId[16];

    /// <summary><c>mc_brandid</c>.</summary>
    public fixed byte McBrandId[64];

    /// <summary><c>mc_cpu_caps</c>.</summary>
    public fixed uint McCpuCaps[7];

    /// <summary><c>mc_cache_size</c>.</summary>
    public uint McCacheSize;

    /// <summary><c>mc_cache_alignment</c>.</summary>
    public uint McCacheAlignment;

    /// <summary><c>mc_nmsrvals</c>.</summary>
    public int McNMsrVals;

    /// <summary><c>mc_msrvalues</c>.</summary>
    public fixed ulong RawMcMsrValues[8 * 2];

    /// <summary>
    /// <c>mc_msrvalues</c>: element <paramref name="index"/> of 8; the caller has checked the index.
    /// </summary>
    public McInfoMsr* McMsrValues(int index)
    {
        fixed (ulong* first = RawMcMsrValues)
        {
            return (McInfoMsr*)first + index;
        }
    }
}
