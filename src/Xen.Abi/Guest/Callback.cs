// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Xen.Abi;

/// <summary><c>CALLBACKOP_*</c>: command of callback_op.</summary>
public enum CallbackCommand : uint
{
    /// <summary><c>CALLBACKOP_register</c>.</summary>
    Register = 0,

    /// <summary><c>CALLBACKOP_unregister</c>.</summary>
    Unregister = 1,
}

/// <summary><c>CALLBACKTYPE_*</c>: entry points that a guest registers.</summary>
public enum CallbackType : ushort
{
    /// <summary><c>CALLBACKTYPE_event</c>.</summary>
    Event = 0,

    /// <summary>
    /// <c>CALLBACKTYPE_failsafe</c>: taken when a segment cannot be reloaded on the way back to the guest.
    /// </summary>
    Failsafe = 1,

    /// <summary><c>CALLBACKTYPE_syscall</c>.</summary>
    Syscall = 2,

    /// <summary><c>CALLBACKTYPE_sysenter_deprecated</c>.</summary>
    SysEnterDeprecated = 3,

    /// <summary><c>CALLBACKTYPE_nmi</c>.</summary>
    Nmi = 4,

    /// <summary><c>CALLBACKTYPE_sysenter</c>.</summary>
    SysEnter = 5,

    /// <summary><c>CALLBACKTYPE_syscall32</c>.</summary>
    SysCall32 = 7,
}

/// <summary><c>CALLBACKF_*</c>: flags of <see cref="CallbackRegister"/>.</summary>
public static class CallbackFlags
{
    /// <summary><c>CALLBACKF_mask_events</c>: upcalls are masked on entry.</summary>
    public const ushort MaskEvents = 0x1;
}

/// <summary><c>struct callback_register</c>: argument of the register command.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CallbackRegister
{
    /// <summary><c>type</c>: <see cref="CallbackType"/>.</summary>
    public ushort Type;

    /// <summary><c>flags</c>: <see cref="CallbackFlags"/>.</summary>
    public ushort Flags;

    /// <summary><c>address</c>.</summary>
    public ulong Address;
}

/// <summary><c>struct callback_unregister</c>: argument of the unregister command.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CallbackUnregister
{
    /// <summary><c>type</c>: <see cref="CallbackType"/>.</summary>
    public ushort Type;

    /// <summary><c>_unused</c>.</summary>
    public ushort Unused;
}
