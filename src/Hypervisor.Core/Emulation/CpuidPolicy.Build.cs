// SPDX-License-Identifier: MIT
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

public static unsafe partial class CpuidPolicy
{
    private const ulong BaseComponents = 3; // x87 and SSE, whose places in the area are fixed
    private const ulong AvxComponent = 4;
    private const ulong Avx512Components = 0xE0;

    /// <summary>The machine as it is (raw and host policies of the tools), as far as a policy can hold it.</summary>
    public static void BuildHost(HostCpuid* host, CpuPolicy* policy)
    {
        *policy = default;
        for (int slot = 0; slot < CpuPolicy.SlotCount; slot++)
        {
            LeafOfSlot(slot, out uint leaf, out uint subleaf);
            _ = host->Find(leaf, subleaf == CpuIdNoSubleaf.Value ? 0 : subleaf, out CpuidResult result);
            *CpuPolicy.At(policy, slot) = result;
        }

        CpuidResult* basic = CpuPolicy.At(policy, 0);
        CpuidResult* extended = CpuPolicy.At(policy, CpuPolicy.ExtendedSlot);
        CpuidResult* features = CpuPolicy.At(policy, CpuPolicy.FeatureSlot);
        basic->A = Least(basic->A, CpuPolicy.LastBasicLeaf);
        extended->A = Least(extended->A, CpuPolicy.LastExtendedLeaf);
        features->A = Least(features->A, CpuPolicy.FeatureLeaves - 1);
        policy->ArchCapabilities = host->ArchCapabilities;
    }

    /// <summary>pv_max: everything that this machine can give to a PV guest.</summary>
    /// <param name="host">The machine.</param>
    /// <param name="speculationControls">MSR SPEC_CTRL is part of a vCPU's state and PRED_CMD is carried out.</param>
    /// <param name="policy">The policy to fill in.</param>
    public static void BuildPvMax(CpuPolicy* host, bool speculationControls, CpuPolicy* policy)
    {
        *policy = *host;
        CpuVendor vendor = Vendor(policy);
        CpuidResult* extended = CpuPolicy.At(policy, CpuPolicy.ExtendedSlot);
        uint lastExtended = vendor == CpuVendor.Amd ? CpuPolicy.LastExtendedLeaf : CpuPolicy.FirstExtendedLeaf + 8;
        extended->A = Least(extended->A, lastExtended);

        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            uint allowed = PvFeatures.Max(word)
                & ~(speculationControls ? 0 : PvFeatures.SpeculationControl(word));
            SetFeatureWord(policy, word, FeatureWord(policy, word) & allowed);
        }

        Add(policy, CpuFeature.Hypervisor);
        HideLeaves(policy, vendor);
        CpuPolicy.At(policy, CpuPolicy.HypervisorSlot)->A = XenCpuId.MaxNumLeaves;
        Normalise(policy, policy);
    }

    /// <summary>pv_default: what a PV guest gets unless its configuration says otherwise.</summary>
    public static void BuildPvDefault(CpuPolicy* max, CpuPolicy* policy)
    {
        *policy = *max;
        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            uint allowed = PvFeatures.Default(word) | PvFeatures.Dynamic(word);
            SetFeatureWord(policy, word, FeatureWord(policy, word) & allowed);
        }

        Normalise(max, policy);
    }

    /// <summary>The policy of Domain-0, which never moves to another machine and so may rely on its clock.</summary>
    public static void BuildDom0(CpuPolicy* max, CpuPolicy* policy)
    {
        BuildPvDefault(max, policy);
        if (Has(max, CpuFeature.Itsc))
        {
            Add(policy, CpuFeature.Itsc);
        }
    }

    // Leaves and fields that are of no use to a PV guest, or describe what it is not given.
    private static void HideLeaves(CpuPolicy* policy, CpuVendor vendor)
    {
        CpuPolicy.At(policy, 1)->B &= 0x00FF_FFFF;
        Clear(policy, 3); // serial number
        Clear(policy, 5); // MONITOR
        Clear(policy, 6); // thermal and power
        Clear(policy, 8);
        Clear(policy, 9); // DCA
        Clear(policy, 0xA); // performance counters
        Clear(policy, 0xC);
        for (uint subleaf = 0; subleaf < CpuPolicy.TopologyLeaves; subleaf++)
        {
            *CpuPolicy.At(policy, CpuPolicy.TopologySlot + (int)subleaf) = default;
        }

        CpuidResult* features = CpuPolicy.At(policy, CpuPolicy.FeatureSlot + 2);
        features->A = 0;
        features->B = 0;
        features->C = 0;

        CpuidResult* power = CpuPolicy.At(policy, CpuPolicy.ExtendedSlot + 7);
        power->A = 0;
        power->B = 0;
        power->C = 0;
        CpuidResult* sizes = CpuPolicy.At(policy, CpuPolicy.ExtendedSlot + 8);
        uint linear = Least((sizes->A >> 8) & 0xFF, 48);
        sizes->A = (sizes->A & 0xFF) | (linear << 8);
        sizes->C = vendor == CpuVendor.Amd ? sizes->C & 0x0003_F0FF : 0; // cores, width of the APIC id, of the TSC
        sizes->D = 0;

        for (uint leaf = CpuPolicy.FirstExtendedLeaf + 9; leaf <= CpuPolicy.LastExtendedLeaf; leaf++)
        {
            CpuidResult* result = CpuPolicy.At(policy, CpuPolicy.SlotOf(leaf, 0));
            switch (leaf & 0xFF)
            {
                case 0x19: // TLBs for 1 GiB pages
                    result->C = 0;
                    result->D = 0;
                    break;
                case 0x1A: // width of the vector units
                    result->B = 0;
                    result->C = 0;
                    result->D = 0;
                    break;
                case 0x21:
                    result->B = 0;
                    result->D = 0;
                    break;
                default:
                    *result = default;
                    break;
            }
        }
    }

    /// <summary>Computes all that follows from the features, with sizes and fixed bits from <paramref
    /// name="max"/>.</summary>
    private static void Normalise(CpuPolicy* max, CpuPolicy* policy)
    {
        ClearBeyondLimits(policy); // before dependants are looked for, and again after all has been computed
        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            uint given = PvFeatures.Hardware(word) | PvFeatures.Dynamic(word);
            uint value = (FeatureWord(policy, word) & ~given) | (FeatureWord(max, word) & given);
            SetFeatureWord(policy, word, value);
        }

        Remove(policy, CpuFeature.X2apic);
        Remove(policy, CpuFeature.OsXSave);
        Remove(policy, CpuFeature.Ospke);
        ClearDependants(policy);

        uint extendedFeatures = FeatureWord(policy, 2) & ~PvFeatures.CommonWithLeaf1;
        if (Vendor(policy) == CpuVendor.Amd)
        {
            extendedFeatures |= FeatureWord(policy, 0) & PvFeatures.CommonWithLeaf1;
        }

        SetFeatureWord(policy, 2, extendedFeatures);
        if (!Has(policy, CpuFeature.ArchCaps))
        {
            policy->ArchCapabilities = 0;
        }

        CpuidResult* sizes = CpuPolicy.At(policy, CpuPolicy.ExtendedSlot + 8);
        CpuidResult* maxSizes = CpuPolicy.At(max, CpuPolicy.ExtendedSlot + 8);
        sizes->A = Least(sizes->A & 0xFF, maxSizes->A & 0xFF) | (maxSizes->A & 0xFF00);
        policy->PlatformInfo &= max->PlatformInfo;
        NormaliseExtendedState(max, policy);
        ClearBeyondLimits(policy);
    }

    private static void NormaliseExtendedState(CpuPolicy* max, CpuPolicy* policy)
    {
        CpuidResult* maxLeaf = CpuPolicy.At(max, CpuPolicy.ExtendedStateSlot);
        ulong mask = 0;
        if (Has(policy, CpuFeature.XSave))
        {
            mask = BaseComponents
                | (Has(policy, CpuFeature.Avx) ? AvxComponent : 0)
                | (Has(policy, CpuFeature.Avx512f) ? Avx512Components : 0);
            mask &= maxLeaf->A;
        }

        for (int component = 2; component < CpuPolicy.ExtendedStateLeaves; component++)
        {
            CpuidResult* leaf = CpuPolicy.At(policy, CpuPolicy.ExtendedStateSlot + component);
            *leaf = (mask & (1ul << component)) != 0
                ? *CpuPolicy.At(max, CpuPolicy.ExtendedStateSlot + component)
                : default;
        }

        CpuidResult* first = CpuPolicy.At(policy, CpuPolicy.ExtendedStateSlot);
        CpuidResult* second = CpuPolicy.At(policy, CpuPolicy.ExtendedStateSlot + 1);
        uint size = mask != 0 ? ExtendedStateSize(policy, mask) : 0;
        first->A = (uint)mask;
        first->B = size;
        first->C = size;
        first->D = 0;
        second->B = 0;
        second->C = 0;
        second->D = 0;
    }

    // Features that cannot be without another one. A processor never shows the one without the other; tools may.
    private static void ClearDependants(CpuPolicy* policy)
    {
        if (!Has(policy, CpuFeature.XSave))
        {
            Remove(policy, CpuFeature.Avx);
            SetFeatureWord(policy, (int)CpuFeature.XSaveOpt >> 5, 0);
        }

        if (!Has(policy, CpuFeature.Avx))
        {
            Remove(policy, CpuFeature.Fma);
            Remove(policy, CpuFeature.Fma4);
            Remove(policy, CpuFeature.F16c);
            Remove(policy, CpuFeature.Xop);
            Remove(policy, CpuFeature.Avx2);
            Remove(policy, CpuFeature.Vaes);
            Remove(policy, CpuFeature.Vpclmulqdq);
        }

        if (!Has(policy, CpuFeature.Avx2))
        {
            Remove(policy, CpuFeature.AvxVnni);
            Remove(policy, CpuFeature.Avx512f);
        }

        if (!Has(policy, CpuFeature.Avx512f))
        {
            Remove(policy, CpuFeature.Avx512dq);
            Remove(policy, CpuFeature.Avx512Ifma);
            Remove(policy, CpuFeature.Avx512pf);
            Remove(policy, CpuFeature.Avx512er);
            Remove(policy, CpuFeature.Avx512cd);
            Remove(policy, CpuFeature.Avx512bw);
            Remove(policy, CpuFeature.Avx512vl);
            Remove(policy, CpuFeature.Avx512Vnni);
            Remove(policy, CpuFeature.Avx512Vpopcntdq);
            Remove(policy, CpuFeature.Avx5124vnniw);
            Remove(policy, CpuFeature.Avx5124fmaps);
            Remove(policy, CpuFeature.Avx512Vp2intersect);
        }

        if (!Has(policy, CpuFeature.Avx512bw))
        {
            Remove(policy, CpuFeature.Avx512Vbmi);
            Remove(policy, CpuFeature.Avx512Vbmi2);
            Remove(policy, CpuFeature.Avx512Bitalg);
            Remove(policy, CpuFeature.Avx512Bf16);
            Remove(policy, CpuFeature.Avx512Fp16);
        }

        if (!Has(policy, CpuFeature.Ibrsb))
        {
            Remove(policy, CpuFeature.Stibp);
            Remove(policy, CpuFeature.Ssbd);
            Remove(policy, CpuFeature.IntelPsfd);
            Remove(policy, CpuFeature.Eibrs);
        }
    }

    private static void ClearBeyondLimits(CpuPolicy* policy)
    {
        uint basic = CpuPolicy.At(policy, 0)->A;
        uint features = CpuPolicy.At(policy, CpuPolicy.FeatureSlot)->A;
        uint extended = CpuPolicy.At(policy, CpuPolicy.ExtendedSlot)->A;
        for (int slot = 1; slot < CpuPolicy.SlotCount; slot++)
        {
            LeafOfSlot(slot, out uint leaf, out uint subleaf);
            bool beyond = leaf < CpuPolicy.FirstHypervisorLeaf
                ? leaf > basic || (leaf == 7 && subleaf > features)
                : leaf > CpuPolicy.FirstExtendedLeaf && leaf > extended;
            if (beyond)
            {
                *CpuPolicy.At(policy, slot) = default;
            }
        }
    }

    private static void Clear(CpuPolicy* policy, uint leaf) =>
        *CpuPolicy.At(policy, CpuPolicy.SlotOf(leaf, 0)) = default;

    private static void Add(CpuPolicy* policy, CpuFeature feature) =>
        SetFeatureWord(policy, Word(feature), FeatureWord(policy, Word(feature)) | PvFeatures.Bit(feature));

    private static void Remove(CpuPolicy* policy, CpuFeature feature) =>
        SetFeatureWord(policy, Word(feature), FeatureWord(policy, Word(feature)) & ~PvFeatures.Bit(feature));

    private static int Word(CpuFeature feature) => (int)((uint)feature >> 5);

    private static uint Least(uint left, uint right) => left < right ? left : right;
}
