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

    /// <summary>What all CPUs in use have.</summary>
    public static CpuPolicy* Host => s_host;

    /// <summary>All that a PV guest can be given.</summary>
    public static CpuPolicy* PvMax => s_pvMax;

    /// <summary>What a PV guest is given unasked.</summary>
    public static CpuPolicy* PvDefault => s_pvDefault;

    /// <summary>Asks the first CPU. Once, at boot; false when there is no memory.</summary>
    public static bool Initialise()
    {
        s_host = (CpuPolicy*)PageAllocator.AllocatePages(0);
        s_pvMax = (CpuPolicy*)PageAllocator.AllocatePages(0);
        s_pvDefault = (CpuPolicy*)PageAllocator.AllocatePages(0);
        HostCpuid* scratch = (HostCpuid*)PageAllocator.AllocatePages(0);
        if (s_host == null || s_pvMax == null || s_pvDefault == null || scratch == null)
        {
            return false;
        }

        Describe(scratch, s_host);
        PageAllocator.FreePages(scratch, 0);
        return true;
    }

    /// <summary>What the running CPU is; <paramref name="scratch"/> is zeroed.</summary>
    public static void Describe(HostCpuid* scratch, CpuPolicy* policy)
    {
        uint* registers = stackalloc uint[4];
        while (scratch->Next(out uint leaf, out uint subleaf))
        {
            Machine.Cpuid(leaf, subleaf, registers);
            scratch->Add(leaf, subleaf, registers[0], registers[1], registers[2], registers[3]);
        }

        if (scratch->Find(7, 0, out CpuidResult features) && (features.D & ArchCapabilitiesBit) != 0)
        {
            ulong capabilities;
            scratch->ArchCapabilities = Machine.TryReadMsr(ArchCapabilitiesMsr, &capabilities) ? capabilities : 0;
        }

        CpuidPolicy.BuildHost(scratch, policy);
    }

    /// <summary>Another CPU is used: what it lacks is not the machine's any more. Before <see cref="Complete"/>.</summary>
    public static void Admit(CpuPolicy* cpu) => CpuidPolicy.Level(s_host, cpu);

    /// <summary>All CPUs are known: makes the guests' policies. Before the first domain.</summary>
    /// <param name="speculationControls">SPEC_CTRL is switched with vCPUs.</param>
    public static void Complete(bool speculationControls)
    {
        CpuidPolicy.BuildPvMax(s_host, speculationControls, s_pvMax);
        CpuidPolicy.BuildPvDefault(s_pvMax, s_pvDefault);
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
