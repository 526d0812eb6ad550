// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>Whose manual tells the meaning of leaves and MSRs.</summary>
public enum CpuVendor : byte
{
    Other,
    Intel,
    Amd, // Hygon, too
}
