// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>What of a policy was objected to: err_leaf, err_subleaf and err_msr of xen_domctl_cpu_policy.</summary>
public struct CpuPolicyError
{
    /// <summary>Nothing of the kind.</summary>
    public const uint None = 0xFFFF_FFFF;

    public uint Leaf;
    public uint Subleaf;
    public uint Msr;
}
