// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary>
/// <c>struct start_info</c>: what a PV kernel is handed in RSI; the lower part is renewed at resume, the part from <see
/// cref="PtBase"/> on is valid at boot only.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 0x490)]
public unsafe struct StartInfo
{
    /// <summary><c>magic</c>: NUL-terminated, "xen-major.minor-x86_64".</summary>
    [FieldOffset(0x0)]
    public fixed byte Magic[32];

    /// <summary><c>nr_pages</c>: pages allocated to the domain.</summary>
    [FieldOffset(0x20)]
    public ulong NrPages;

    /// <summary><c>shared_info</c>: machine address of <see cref="SharedInfo"/>.</summary>
    [FieldOffset(0x28)]
    public ulong SharedInfo;

    /// <summary><c>flags</c>: <see cref="StartInfoFlags"/>.</summary>
    [FieldOffset(0x30)]
    public uint Flags;

    /// <summary><c>store_mfn</c>: machine frame of the store ring.</summary>
    [FieldOffset(0x38)]
    public ulong StoreMfn;

    /// <summary><c>store_evtchn</c>: port of the store ring.</summary>
    [FieldOffset(0x40)]
    public uint StoreEventChannel;

    /// <summary><c>console.domU.mfn</c>: unprivileged domain: machine frame of the console ring.</summary>
    [FieldOffset(0x48)]
    public ulong ConsoleDomUMfn;

    /// <summary><c>console.domU.evtchn</c>: unprivileged domain: port of the console ring.</summary>
    [FieldOffset(0x50)]
    public uint ConsoleDomUEventChannel;

    /// <summary>
    /// <c>console.dom0.info_off</c>: Domain-0: offset of <see cref="Dom0VgaConsoleInfo"/> from this structure.
    /// </summary>
    [FieldOffset(0x48)]
    public uint ConsoleDom0InfoOff;

    /// <summary><c>console.dom0.info_size</c>: Domain-0: its size.</summary>
    [FieldOffset(0x4c)]
    public uint ConsoleDom0InfoSize;

    /// <summary><c>pt_base</c>: virtual address of the root page table.</summary>
    [FieldOffset(0x58)]
    public ulong PtBase;

    /// <summary><c>nr_pt_frames</c>: frames of the boot page tables.</summary>
    [FieldOffset(0x60)]
    public ulong NrPtFrames;

    /// <summary><c>mfn_list</c>: virtual address of the physical-to-machine list.</summary>
    [FieldOffset(0x68)]
    public ulong MfnList;

    /// <summary><c>mod_start</c>: virtual address, or physical frame number, of the initial RAM disk.</summary>
    [FieldOffset(0x70)]
    public ulong ModStart;

    /// <summary><c>mod_len</c>: its bytes.</summary>
    [FieldOffset(0x78)]
    public ulong ModLen;

    /// <summary><c>cmd_line</c>: NUL-terminated.</summary>
    [FieldOffset(0x80)]
    public fixed sbyte CmdLine[1024];

    /// <summary><c>first_p2m_pfn</c>: first physical frame that holds the list.</summary>
    [FieldOffset(0x480)]
    public ulong FirstP2MPfn;

    /// <summary><c>nr_p2m_frames</c>: frames that hold the list.</summary>
    [FieldOffset(0x488)]
    public ulong NrP2MFrames;
}

/// <summary><c>SIF_*</c>: bits of <see cref="StartInfo.Flags"/>.</summary>
public static class StartInfoFlags
{
    /// <summary><c>SIF_PRIVILEGED</c>: the domain may make privileged calls.</summary>
    public const uint Privileged = 0x1;

    /// <summary><c>SIF_INITDOMAIN</c>: this is Domain-0.</summary>
    public const uint Initdomain = 0x2;

    /// <summary><c>SIF_MULTIBOOT_MOD</c>: the module is a list of modules.</summary>
    public const uint MultibootMod = 0x4;

    /// <summary><c>SIF_MOD_START_PFN</c>: mod_start is a frame number.</summary>
    public const uint ModStartPfn = 0x8;

    /// <summary><c>SIF_VIRT_P2M_4TOOLS</c>: the tools understand the linear list of the guest.</summary>
    public const uint VirtP2M4tools = 0x10;

    /// <summary><c>SIF_PM_MASK</c>.</summary>
    public const uint PmMask = 0xff00;
}

/// <summary><c>struct xen_multiboot_mod_list</c>: one module of a multiboot module list.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct MultibootModList
{
    /// <summary><c>mod_start</c>.</summary>
    public uint ModStart;

    /// <summary><c>mod_end</c>.</summary>
    public uint ModEnd;

    /// <summary><c>cmdline</c>.</summary>
    public uint Cmdline;

    /// <summary><c>pad</c>.</summary>
    public uint Pad;
}

/// <summary><c>MAX_GUEST_CMDLINE</c>: sizes within <see cref="StartInfo"/>.</summary>
public static class StartInfoLimits
{
    /// <summary><c>MAX_GUEST_CMDLINE</c>.</summary>
    public const int CmdLine = 1024;
}
