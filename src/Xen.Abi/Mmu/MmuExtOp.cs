// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>MMUEXT_*</c>: extended MMU operation.</summary>
public enum MmuExtCommand : uint
{
    /// <summary><c>MMUEXT_PIN_L1_TABLE</c>: validates the frame as a level-1 table and keeps it so.</summary>
    PinL1Table = 0,

    /// <summary><c>MMUEXT_PIN_L2_TABLE</c>.</summary>
    PinL2Table = 1,

    /// <summary><c>MMUEXT_PIN_L3_TABLE</c>.</summary>
    PinL3Table = 2,

    /// <summary><c>MMUEXT_PIN_L4_TABLE</c>.</summary>
    PinL4Table = 3,

    /// <summary><c>MMUEXT_UNPIN_TABLE</c>.</summary>
    UnpinTable = 4,

    /// <summary><c>MMUEXT_NEW_BASEPTR</c>: new kernel page-table root.</summary>
    NewBasePtr = 5,

    /// <summary><c>MMUEXT_TLB_FLUSH_LOCAL</c>.</summary>
    TlbFlushLocal = 6,

    /// <summary><c>MMUEXT_INVLPG_LOCAL</c>.</summary>
    InvlpgLocal = 7,

    /// <summary><c>MMUEXT_TLB_FLUSH_MULTI</c>: on the vCPUs of a bit map in guest memory.</summary>
    TlbFlushMulti = 8,

    /// <summary><c>MMUEXT_INVLPG_MULTI</c>: on the vCPUs of a bit map in guest memory.</summary>
    InvlpgMulti = 9,

    /// <summary><c>MMUEXT_TLB_FLUSH_ALL</c>.</summary>
    TlbFlushAll = 10,

    /// <summary><c>MMUEXT_INVLPG_ALL</c>.</summary>
    InvlpgAll = 11,

    /// <summary><c>MMUEXT_FLUSH_CACHE</c>.</summary>
    FlushCache = 12,

    /// <summary><c>MMUEXT_SET_LDT</c>: base and number of entries.</summary>
    SetLdt = 13,

    /// <summary><c>MMUEXT_NEW_USER_BASEPTR</c>: new user page-table root; frame 0 is none.</summary>
    NewUserBasePtr = 15,

    /// <summary><c>MMUEXT_CLEAR_PAGE</c>.</summary>
    ClearPage = 16,

    /// <summary><c>MMUEXT_COPY_PAGE</c>.</summary>
    CopyPage = 17,

    /// <summary><c>MMUEXT_FLUSH_CACHE_GLOBAL</c>.</summary>
    FlushCacheGlobal = 18,

    /// <summary><c>MMUEXT_MARK_SUPER</c>.</summary>
    MarkSuper = 19,

    /// <summary><c>MMUEXT_UNMARK_SUPER</c>.</summary>
    UnmarkSuper = 20,
}

/// <summary><c>struct mmuext_op</c>: one request of mmuext_op.</summary>
[StructLayout(LayoutKind.Explicit, Size = 0x18)]
public struct MmuExtOp
{
    /// <summary><c>cmd</c>: <see cref="MmuExtCommand"/>.</summary>
    [FieldOffset(0x0)]
    public uint Cmd;

    /// <summary><c>arg1.mfn</c>: pin, unpin, base pointers, clear, copy.</summary>
    [FieldOffset(0x8)]
    public ulong Arg1Mfn;

    /// <summary><c>arg1.linear_addr</c>: invlpg, set LDT.</summary>
    [FieldOffset(0x8)]
    public ulong Arg1LinearAddr;

    /// <summary><c>arg2.nr_ents</c>: set LDT.</summary>
    [FieldOffset(0x10)]
    public uint Arg2NrEnts;

    /// <summary><c>arg2.vcpumask</c>: guest address of the bit map of vCPUs.</summary>
    [FieldOffset(0x10)]
    public ulong Arg2VcpuMask;

    /// <summary><c>arg2.src_mfn</c>: copy page.</summary>
    [FieldOffset(0x10)]
    public ulong Arg2SrcMfn;
}
