// SPDX-License-Identifier: MIT
//
// What CPUID answers to a PV guest. The kernel of such a guest asks by a forced emulation (or, where the processor can
// fault CPUID, by the instruction itself, and then its user mode does too) and gets an answer made of two parts: the
// leaves of the domain's policy, which stand still, and the little that is the vCPU's own: APIC ids, CR4.OSXSAVE,
// sizes under its XCR0, and the hypervisor's leaves.
//
// A policy is made once, from the machine's leaves: pv_max has everything that a PV guest can be given, pv_default what
// it is given unasked. The tools may take features away before the domain runs. Everything that follows from something
// else (extended-state sizes, the bits that AMD repeats, dependants of what was taken away) is computed and never
// believed.
//
// Where user mode executes CPUID natively it sees the machine; for this reason topology bits tell the truth.
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

/// <summary>Answers CPUID and builds, checks, reads and writes the policies behind the answers.</summary>
public static unsafe partial class CpuidPolicy
{
    /// <summary>The version of Xen whose interface is spoken.</summary>
    public const uint XenMajor = 4;
    public const uint XenMinor = 17;

    /// <summary>The MSR through which a guest may ask for its hypercall page.</summary>
    public const uint HypercallPageMsr = 0x4000_0000;

    private const uint OsXsaveBit = 1u << 27;
    private const uint XsaveBit = 1u << 26;

    /// <summary>Executes CPUID for a vCPU.</summary>
    public static void Read(
        CpuPolicy* policy, in CpuidContext context, uint leaf, uint subleaf, out CpuidResult result)
    {
        result = default;
        if (leaf - CpuPolicy.FirstHypervisorLeaf < 0x4000_0000)
        {
            ReadHypervisorLeaf(policy, context, leaf, subleaf, out result);
            return;
        }

        CpuidResult* limit = CpuPolicy.At(policy, leaf < CpuPolicy.FirstHypervisorLeaf ? 0 : CpuPolicy.ExtendedSlot);
        int slot = CpuPolicy.SlotOf(leaf, subleaf);
        if (leaf > limit->A)
        {
            return;
        }

        if (slot >= 0)
        {
            result = *CpuPolicy.At(policy, slot);
        }

        switch (leaf)
        {
            case 1:
                result.B = (result.B & 0x00FF_FFFF) | (ApicId(context) << 24);
                if (context.OsXsave && (result.C & XsaveBit) != 0)
                {
                    result.C |= OsXsaveBit;
                }

                break;
            case 0xB:
                // A subleaf without a level still tells the id.
                result.C = (result.C & ~0xFFu) | (subleaf & 0xFF);
                result.D = ApicId(context);
                break;
            case 0xD when subleaf == 0:
                result.B = ExtendedStateSize(policy, context.Xcr0);
                break;
            case 0xD when subleaf == 1 && (result.A & 2) != 0:
                result.B = CompactedStateSize(policy, context.Xcr0);
                break;
        }
    }

    /// <summary>Whose processor the policy describes.</summary>
    public static CpuVendor Vendor(CpuPolicy* policy)
    {
        CpuidResult* name = CpuPolicy.At(policy, 0);
        return name->B switch
        {
            0x756E_6547 when name->D == 0x4965_6E69 && name->C == 0x6C65_746E => CpuVendor.Intel, // GenuineIntel
            0x6874_7541 when name->D == 0x6974_6E65 && name->C == 0x444D_4163 => CpuVendor.Amd, // AuthenticAMD
            0x6F67_7948 when name->D == 0x6E65_476E && name->C == 0x656E_6975 => CpuVendor.Amd, // HygonGenuine
            _ => CpuVendor.Other,
        };
    }

    public static bool Has(CpuPolicy* policy, CpuFeature feature) =>
        (FeatureWord(policy, Word(feature)) & PvFeatures.Bit(feature)) != 0;

    /// <summary>Components of the extended state that the policy allows: the limit of XCR0. 0 without XSAVE.</summary>
    public static ulong ExtendedStateMask(CpuPolicy* policy)
    {
        CpuidResult* leaf = CpuPolicy.At(policy, CpuPolicy.ExtendedStateSlot);
        return Has(policy, CpuFeature.XSave) ? ((ulong)leaf->D << 32) | leaf->A : 0;
    }

    /// <summary>Whether XSETBV accepts the value (Intel SDM Vol. 1 §13.3) within the policy's limits.</summary>
    public static bool IsValidXcr0(CpuPolicy* policy, ulong value)
    {
        const ulong x87 = 1;
        const ulong sse = 2;
        const ulong avx = 4;
        const ulong avx512 = 0xE0;
        return (value & ~ExtendedStateMask(policy)) == 0
            && (value & x87) != 0
            && ((value & avx) == 0 || (value & sse) != 0)
            && ((value & avx512) == 0 || ((value & avx512) == avx512 && (value & avx) != 0));
    }

    private static uint ApicId(in CpuidContext context) => context.VcpuId * 2;

    private static void ReadHypervisorLeaf(
        CpuPolicy* policy, in CpuidContext context, uint leaf, uint subleaf, out CpuidResult result)
    {
        result = default;
        uint limit = CpuPolicy.At(policy, CpuPolicy.HypervisorSlot)->A & 0xFF;
        limit = limit < 2 ? 2 : limit > XenCpuId.MaxNumLeaves ? XenCpuId.MaxNumLeaves : limit;
        uint offset = leaf - CpuPolicy.FirstHypervisorLeaf;
        if (offset > limit)
        {
            return;
        }

        switch (offset)
        {
            case 0:
                result.A = CpuPolicy.FirstHypervisorLeaf + limit;
                result.B = XenCpuId.SignatureEbx;
                result.C = XenCpuId.SignatureEcx;
                result.D = XenCpuId.SignatureEdx;
                break;
            case 1:
                result.A = (XenMajor << 16) | XenMinor;
                break;
            case 2:
                result.A = 1;
                result.B = HypercallPageMsr;
                result.C = XenCpuId.Feat1MmuPtUpdatePreserveAd;
                break;
            case 3 when subleaf == 0:
                result.A = (context.TscEmulated ? 1u : 0)
                    | (context.TscReliable ? 2u : 0)
                    | (Has(policy, CpuFeature.Rdtscp) ? 4u : 0);
                result.B = context.TscMode;
                result.C = context.TscGuestKhz;
                result.D = context.TscIncarnation;
                break;
            case 3 when subleaf == 1:
                result.A = (uint)context.TscOffset;
                result.B = (uint)(context.TscOffset >> 32);
                result.C = context.TscMultiplier;
                result.D = (uint)context.TscShift;
                break;
            case 3 when subleaf == 2:
                result.A = context.TscHostKhz;
                break;
            case 5 when subleaf == 0:
                result.B = context.MachineAddressBits;
                break;
        }
    }

    // The standard format: every component has its place, so the furthest one counts.
    private static uint ExtendedStateSize(CpuPolicy* policy, ulong mask)
    {
        uint size = 576;
        for (int component = 2; component < CpuPolicy.ExtendedStateLeaves; component++)
        {
            CpuidResult* leaf = CpuPolicy.At(policy, CpuPolicy.ExtendedStateSlot + component);
            if ((mask & (1ul << component)) != 0 && leaf->B + leaf->A > size)
            {
                size = leaf->B + leaf->A;
            }
        }

        return size;
    }

    // The compacted format: one after the other, some of them aligned.
    private static uint CompactedStateSize(CpuPolicy* policy, ulong mask)
    {
        uint size = 576;
        for (int component = 2; component < CpuPolicy.ExtendedStateLeaves; component++)
        {
            if ((mask & (1ul << component)) != 0)
            {
                CpuidResult* leaf = CpuPolicy.At(policy, CpuPolicy.ExtendedStateSlot + component);
                size = ((leaf->C & 2) != 0 ? (size + 63) & ~63u : size) + leaf->A;
            }
        }

        return size;
    }
}
