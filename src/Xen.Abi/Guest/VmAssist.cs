// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>VMASST_CMD_*</c>: command of vm_assist.</summary>
public enum VmAssistCommand : uint
{
    /// <summary><c>VMASST_CMD_enable</c>.</summary>
    Enable = 0,

    /// <summary><c>VMASST_CMD_disable</c>.</summary>
    Disable = 1,
}

/// <summary><c>VMASST_TYPE_*</c>: assistance that a guest may turn on.</summary>
public enum VmAssistType : uint
{
    /// <summary><c>VMASST_TYPE_4gb_segments</c>.</summary>
    FourGbSegments = 0,

    /// <summary><c>VMASST_TYPE_4gb_segments_notify</c>.</summary>
    FourGbSegmentsNotify = 1,

    /// <summary><c>VMASST_TYPE_writable_pagetables</c>: plain writes to level-1 tables are emulated.</summary>
    WritablePageTables = 2,

    /// <summary><c>VMASST_TYPE_pae_extended_cr3</c>.</summary>
    PaeExtendedCr3 = 3,

    /// <summary><c>VMASST_TYPE_architectural_iopl</c>.</summary>
    ArchitecturalIopl = 4,

    /// <summary>
    /// <c>VMASST_TYPE_runstate_update_flag</c>: <see cref="VcpuRunStateInfo.StateEntryTime"/> has its top bit set
    /// during updates.
    /// </summary>
    RunStateUpdateFlag = 5,

    /// <summary><c>VMASST_TYPE_m2p_strict</c>: the machine-to-physical table is hidden from user mode.</summary>
    M2PStrict = 32,
}
