// SPDX-License-Identifier: MIT

// The page a guest shares with the hypervisor. A guest writes to it whenever it likes, from any vCPU: every read of it
// is a read of hostile memory, done once into a local.

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>struct shared_info</c>: page shared between a domain and the hypervisor.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SharedInfo
{
    /// <summary><c>vcpu_info</c>: records of the first 32 vCPUs.</summary>
    public fixed ulong RawVcpuInfo[32 * 8];

    /// <summary><c>vcpu_info</c>: element <paramref name="index"/> of 32; the caller has checked the index.</summary>
    public VcpuInfo* VcpuInfo(int index)
    {
        fixed (ulong* first = RawVcpuInfo)
        {
            return (VcpuInfo*)first + index;
        }
    }

    /// <summary><c>evtchn_pending</c>: two-level event channels: pending bits.</summary>
    public fixed ulong EventChannelPending[64];

    /// <summary><c>evtchn_mask</c>: two-level event channels: masked bits.</summary>
    public fixed ulong EventChannelMask[64];

    /// <summary><c>wc_version</c>: odd while the wall clock is being written.</summary>
    public uint WcVersion;

    /// <summary><c>wc_sec</c>: wall clock at system time 0, seconds since 1970.</summary>
    public uint WcSec;

    /// <summary><c>wc_nsec</c>: and nanoseconds.</summary>
    public uint WcNsec;

    /// <summary><c>wc_sec_hi</c>: upper half of the seconds.</summary>
    public uint WcSecHi;

    /// <summary><c>arch</c>.</summary>
    public ArchSharedInfo Arch;
}

/// <summary><c>struct arch_shared_info</c>: x86 part of the shared page.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ArchSharedInfo
{
    /// <summary><c>max_pfn</c>: entries of the physical-to-machine list.</summary>
    public ulong MaxPfn;

    /// <summary>
    /// <c>pfn_to_mfn_frame_list_list</c>: root of the three-level list, all ones if there is only the linear one.
    /// </summary>
    public ulong PfnToMfnFrameListList;

    /// <summary><c>nmi_reason</c>: <see cref="NmiReason"/>.</summary>
    public ulong NmiReason;

    /// <summary>
    /// <c>p2m_cr3</c>: page-table root under which <see cref="P2MVaddr"/> is valid, 0 if there is no linear list.
    /// </summary>
    public ulong P2MCr3;

    /// <summary><c>p2m_vaddr</c>: virtual address of the linear list.</summary>
    public ulong P2MVaddr;

    /// <summary><c>p2m_generation</c>: odd while the guest remaps the list.</summary>
    public ulong P2MGeneration;
}
