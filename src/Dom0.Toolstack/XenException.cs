// SPDX-License-Identifier: MIT
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack;

/// <summary>The hypervisor, or the kernel on its behalf, refused an operation.</summary>
public sealed class XenException : ToolstackException
{
    /// <summary>Creates the error for <paramref name="operation"/>, named as Xen's headers name it.</summary>
    public XenException(int errno, string operation, string? detail = null, string? remedy = null)
        : base($"{operation} was refused{(detail is null ? "" : $" for {detail}")}: {LibcErrno.Describe(errno)}",
            remedy ?? Advice(errno))
    {
        Errno = errno;
        Operation = operation;
    }

    /// <summary>The error number, positive.</summary>
    public int Errno { get; }

    /// <summary>The hypercall and its sub-operation.</summary>
    public string Operation { get; }

    private static string? Advice(int errno) => errno switch
    {
        LibcErrno.NotPermitted => "Run this in Domain-0 as root",
        LibcErrno.AccessDenied =>
            "The hypervisor speaks another version of the control interface than 0x15 (Xen 4.17); see 'xm info'",
        LibcErrno.NotImplemented => "This hypervisor does not offer the operation",
        _ => null,
    };
}
