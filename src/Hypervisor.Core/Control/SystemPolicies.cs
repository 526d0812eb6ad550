// SPDX-License-Identifier: MIT

using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;

namespace Hypervisor.Core.Control;

/// <summary>CPUID and MSR policies of the machine: what it has, and what PV guests get of that.</summary>
public static unsafe class SystemPolicies
{
    private const uint ArchCapabilitiesMsr = 0x10A;
    private const uint ArchCapabilitiesBit = 1u << 29;

    private static CpuPolicy* s_host;
    private static CpuPolicy* s_pvMax;
    private static CpuPolicy* s_pvDefault;

    /// <summary>The processor as it is.</summary>
    public static CpuPolicy* Host => s_host;

    /// <summary>All that a PV guest can be given.</summary>
    public static CpuPolicy* PvMax => s_pvMax;

    /// <summary>What a PV guest is given unasked.</summary>
    public static CpuPolicy* PvDefault => s_pvDefault;

    /// <summary>Asks the processor. Once, at boot, before the first domain; false when there is no memory.</summary>
    /// <param name="speculationControls">SPEC_CTRL is switched with vCPUs.</param>
    public static bool Initialise(bool speculationControls)
    {
        HostCpuid* host = (HostCpuid*)PageAllocator.AllocatePages(0);
        s_host = (CpuPolicy*)PageAllocator.AllocatePages(0);
        s_pvMax = (CpuPolicy*)PageAllocator.AllocatePages(0);
        s_pvDefault = (CpuPolicy*)PageAllocator.AllocatePages(0);
        if (host == null || s_host == null || s_pvMax == null || s_pvDefault == null)
        {
            return false;
        }

        uint* registers = stackalloc uint[4];
        while (host->Next(out uint leaf, out uint subleaf))
        {
            Machine.Cpuid(leaf, subleaf, registers);
            host->Add(leaf, subleaf, registers[0], registers[1], registers[2], registers[3]);
        }

        if (host->Find(7, 0, out CpuidResult features) && (features.D & ArchCapabilitiesBit) != 0)
        {
            ulong capabilities;
            host->ArchCapabilities = Machine.TryReadMsr(ArchCapabilitiesMsr, &capabilities) ? capabilities : 0;
        }

        CpuidPolicy.BuildHost(host, s_host);
        CpuidPolicy.BuildPvMax(host, speculationControls, s_pvMax);
        CpuidPolicy.BuildPvDefault(s_pvMax, s_pvDefault);
        PageAllocator.FreePages(host, 0);
        return true;
    }

    /// <summary>Gives a new domain the default policy; Domain-0's differs a little.</summary>
    public static void CopyTo(Domain* domain)
    {
        if (domain->Id == 0)
        {
            CpuidPolicy.BuildDom0(s_pvMax, domain->CpuidPolicy);
        }
        else
        {
            *domain->CpuidPolicy = *s_pvDefault;
        }
    }
}
