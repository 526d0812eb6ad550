// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>XENNMI_*</c>: command of nmi_op.</summary>
public enum NmiCommand : uint
{
    /// <summary><c>XENNMI_register_callback</c>.</summary>
    RegisterCallback = 0,

    /// <summary><c>XENNMI_unregister_callback</c>.</summary>
    UnregisterCallback = 1,
}

/// <summary><c>XEN_NMIREASON_*</c>: bits of <see cref="ArchSharedInfo.NmiReason"/>.</summary>
public static class NmiReason
{
    /// <summary><c>XEN_NMIREASON_io_error</c>.</summary>
    public const ulong IoError = 0x1;

    /// <summary><c>XEN_NMIREASON_pci_serr</c>.</summary>
    public const ulong PciSerr = 0x2;

    /// <summary><c>XEN_NMIREASON_unknown</c>.</summary>
    public const ulong Unknown = 0x4;
}

/// <summary><c>struct xennmi_callback</c>: argument of the register command.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct NmiCallback
{
    /// <summary><c>handler_address</c>.</summary>
    public ulong HandlerAddress;

    /// <summary><c>pad</c>.</summary>
    public ulong Pad;
}
