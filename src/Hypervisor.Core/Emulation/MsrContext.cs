// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>Who asks for an MSR.</summary>
public unsafe struct MsrContext
{
    public CpuPolicy* Policy;
    public uint VcpuId;

    /// <summary>The domain owns the machine's devices and may see how its memory is laid out.</summary>
    public bool HasHardwareAccess;

    /// <summary>XEN_X86_MSR_RELAXED: unknown MSRs read as 0 and swallow writes instead of faulting.</summary>
    public bool IsRelaxed;
}
