// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary>
/// <c>UVMF_*</c>: flags of update_va_mapping; where a set of vCPUs is meant, the address of its bit map is ORed in.
/// </summary>
public static class UpdateVaMappingFlags
{
    /// <summary><c>UVMF_NONE</c>.</summary>
    public const ulong None = 0x0;

    /// <summary><c>UVMF_TLB_FLUSH</c>.</summary>
    public const ulong TlbFlush = 0x1;

    /// <summary><c>UVMF_INVLPG</c>.</summary>
    public const ulong Invlpg = 0x2;

    /// <summary><c>UVMF_FLUSHTYPE_MASK</c>: these two bits say what to flush.</summary>
    public const ulong FlushtypeMask = 0x3;

    /// <summary><c>UVMF_MULTI</c>.</summary>
    public const ulong Multi = 0x0;

    /// <summary><c>UVMF_LOCAL</c>: multi without a bit map.</summary>
    public const ulong Local = 0x0;

    /// <summary><c>UVMF_ALL</c>: every vCPU of the domain.</summary>
    public const ulong All = 0x4;
}
