// SPDX-License-Identifier: MIT
//
// CPUs of one machine need not be alike. A guest's vCPUs run now here, now there, so it is shown what all of them have. What
// the hypervisor itself has begun to use on the first CPU every other must have too, or it is not used.
using System;
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

public static unsafe partial class CpuidPolicy
{
    /// <summary>Narrows the machine's policy to what one more CPU has as well.</summary>
    public static void Level(CpuPolicy* machine, CpuPolicy* cpu)
    {
        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            // Bits that warn of something must be seen if one CPU has them; topology, and what mirrors a control register,
            // is the first one's.
            uint warnings = PvFeatures.Warning(word);
            uint first = FeatureWord(machine, word);
            uint other = FeatureWord(cpu, word);
            uint kept = (PvFeatures.Hardware(word) | PvFeatures.Mirror(word)) & ~warnings;
            SetFeatureWord(machine, word, ((first & other) & ~warnings) | (first & kept) | ((first | other) & warnings));
        }

        CpuPolicy.At(machine, 0)->A = Least(CpuPolicy.At(machine, 0)->A, CpuPolicy.At(cpu, 0)->A);
        CpuidResult* features = CpuPolicy.At(machine, CpuPolicy.FeatureSlot);
        features->A = Least(features->A, CpuPolicy.At(cpu, CpuPolicy.FeatureSlot)->A);
        CpuidResult* extended = CpuPolicy.At(machine, CpuPolicy.ExtendedSlot);
        extended->A = Least(extended->A, CpuPolicy.At(cpu, CpuPolicy.ExtendedSlot)->A);
        machine->PlatformInfo &= cpu->PlatformInfo;
        ClearBeyondLimits(machine);
    }

    /// <summary>Names what the hypervisor uses on <paramref name="machine"/> and <paramref name="cpu"/> does not have; empty:
    /// it has all.</summary>
    /// <param name="machine">The CPUs in use.</param>
    /// <param name="cpu">The one in question.</param>
    /// <param name="cr4">CR4 of the CPUs in use.</param>
    /// <param name="xcr0">Components of the extended state that are switched with vCPUs.</param>
    /// <param name="usesX2Apic">The local APICs are in x2APIC mode.</param>
    /// <param name="usesDeadline">The local APICs' timers take TSC deadlines.</param>
    public static ReadOnlySpan<byte> FindLack(
        CpuPolicy* machine, CpuPolicy* cpu, ulong cr4, ulong xcr0, bool usesX2Apic, bool usesDeadline)
    {
        uint bits = CpuPolicy.At(machine, CpuPolicy.ExtendedSlot + 8)->A & 0xFF;
        return Vendor(machine) != Vendor(cpu) ? "the vendor of the others"u8
            : Lacks(machine, cpu, CpuFeature.Nx) ? "no-execute pages (NX)"u8
            : Lacks(machine, cpu, CpuFeature.Page1gb) ? "pages of 1 GiB"u8
            : Lacks(machine, cpu, CpuFeature.Rdtscp) ? "RDTSCP"u8
            : (cr4 & Cr4.FsGsBase) != 0 && !Has(cpu, CpuFeature.Fsgsbase) ? "FSGSBASE"u8
            : (cr4 & Cr4.Smep) != 0 && !Has(cpu, CpuFeature.Smep) ? "SMEP"u8
            : (cr4 & Cr4.Smap) != 0 && !Has(cpu, CpuFeature.Smap) ? "SMAP"u8
            : (cr4 & Cr4.OsXsave) != 0 && !Has(cpu, CpuFeature.XSave) ? "XSAVE"u8
            : !HasComponents(machine, cpu, xcr0) ? "the others' extended state, component by component"u8
            : usesX2Apic && !Has(cpu, CpuFeature.X2apic) ? "x2APIC mode"u8
            : usesDeadline && !Has(cpu, CpuFeature.TscDeadline) ? "the TSC deadline timer"u8
            : (CpuPolicy.At(cpu, CpuPolicy.ExtendedSlot + 8)->A & 0xFF) < bits ? "as many physical address bits"u8
            : default;
    }

    private static bool Lacks(CpuPolicy* machine, CpuPolicy* cpu, CpuFeature feature) =>
        Has(machine, feature) && !Has(cpu, feature);

    /// <summary>A vCPU's saved state must fit on every CPU: each component with the same size at the same place.</summary>
    private static bool HasComponents(CpuPolicy* machine, CpuPolicy* cpu, ulong xcr0)
    {
        CpuidResult* leaf = CpuPolicy.At(cpu, CpuPolicy.ExtendedStateSlot);
        if (((((ulong)leaf->D << 32) | leaf->A) & xcr0) != xcr0)
        {
            return false;
        }

        for (int component = 2; component < CpuPolicy.ExtendedStateLeaves; component++)
        {
            CpuidResult* first = CpuPolicy.At(machine, CpuPolicy.ExtendedStateSlot + component);
            CpuidResult* other = CpuPolicy.At(cpu, CpuPolicy.ExtendedStateSlot + component);
            if ((xcr0 >> component & 1) != 0 && (first->A != other->A || first->B != other->B))
            {
                return false;
            }
        }

        return true;
    }
}
