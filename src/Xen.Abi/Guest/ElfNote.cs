// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>XEN_ELFNOTE_*</c>: types of the ELF notes named "Xen".</summary>
public enum ElfNote : uint
{
    /// <summary><c>XEN_ELFNOTE_INFO</c>.</summary>
    Info = 0,

    /// <summary><c>XEN_ELFNOTE_ENTRY</c>: virtual address of the first instruction.</summary>
    Entry = 1,

    /// <summary><c>XEN_ELFNOTE_HYPERCALL_PAGE</c>: virtual address of the page of call stubs.</summary>
    HypercallPage = 2,

    /// <summary>
    /// <c>XEN_ELFNOTE_VIRT_BASE</c>: virtual address of physical address <see cref="PaddrOffset"/>.
    /// </summary>
    VirtBase = 3,

    /// <summary><c>XEN_ELFNOTE_PADDR_OFFSET</c>.</summary>
    PaddrOffset = 4,

    /// <summary><c>XEN_ELFNOTE_XEN_VERSION</c>.</summary>
    XenVersion = 5,

    /// <summary><c>XEN_ELFNOTE_GUEST_OS</c>.</summary>
    GuestOs = 6,

    /// <summary><c>XEN_ELFNOTE_GUEST_VERSION</c>.</summary>
    GuestVersion = 7,

    /// <summary><c>XEN_ELFNOTE_LOADER</c>.</summary>
    Loader = 8,

    /// <summary><c>XEN_ELFNOTE_PAE_MODE</c>.</summary>
    PaeMode = 9,

    /// <summary><c>XEN_ELFNOTE_FEATURES</c>.</summary>
    Features = 10,

    /// <summary><c>XEN_ELFNOTE_BSD_SYMTAB</c>.</summary>
    BsdSymtab = 11,

    /// <summary><c>XEN_ELFNOTE_HV_START_LOW</c>: lowest address the hypervisor may take.</summary>
    HvStartLow = 12,

    /// <summary><c>XEN_ELFNOTE_L1_MFN_VALID</c>: mask and value by which a present entry is told.</summary>
    L1MfnValid = 13,

    /// <summary><c>XEN_ELFNOTE_SUSPEND_CANCEL</c>: a suspended guest can be resumed in place.</summary>
    SuspendCancel = 14,

    /// <summary><c>XEN_ELFNOTE_INIT_P2M</c>: where the physical-to-machine list is wanted.</summary>
    InitP2M = 15,

    /// <summary><c>XEN_ELFNOTE_MOD_START_PFN</c>: the RAM disk need not be mapped.</summary>
    ModStartPfn = 16,

    /// <summary><c>XEN_ELFNOTE_SUPPORTED_FEATURES</c>: bit map of <see cref="XenFeature"/>.</summary>
    SupportedFeatures = 17,

    /// <summary><c>XEN_ELFNOTE_PHYS32_ENTRY</c>: PVH entry.</summary>
    Phys32Entry = 18,

    /// <summary><c>XEN_ELFNOTE_CRASH_INFO</c>.</summary>
    CrashInfo = 16777217,

    /// <summary><c>XEN_ELFNOTE_CRASH_REGS</c>.</summary>
    CrashRegs = 16777218,

    /// <summary><c>XEN_ELFNOTE_DUMPCORE_NONE</c>.</summary>
    DumpcoreNone = 33554432,

    /// <summary><c>XEN_ELFNOTE_DUMPCORE_HEADER</c>.</summary>
    DumpcoreHeader = 33554433,

    /// <summary><c>XEN_ELFNOTE_DUMPCORE_XEN_VERSION</c>.</summary>
    DumpcoreXenVersion = 33554434,

    /// <summary><c>XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION</c>.</summary>
    DumpcoreFormatVersion = 33554435,
}
