// SPDX-License-Identifier: MIT
//
// Policies as the tools see them. A policy leaves as a list of leaves, one of MSRs, and as a featureset, and comes
// back as the first two. Lists are passed one element at a time, since they lie in the tools' memory:
//
//   out:  for (position = 0; NextLeaf(policy, ref position, out leaf);) copy leaf out
//   in:   update = *current; for each leaf copied in: MergeLeaf(&update, leaf); Finish(max, &update)
//
// Elements that are not mentioned stay as they were, and nothing is in force until Finish has agreed.
using Xen.Abi;

namespace Hypervisor.Core.Emulation;

public static unsafe partial class CpuidPolicy
{
    /// <summary>
    /// Answer to "how many leaves at most?". More than a policy has here, for the tools fill buffers of this size from
    /// policies of their own, which know more extended-state components.
    /// </summary>
    public const uint MaxLeaves = 128;

    /// <summary>Answer to "how many MSRs at most?", and how many there are.</summary>
    public const uint MaxMsrs = 2;

    private const uint PlatformInfoMsr = 0xCE;
    private const uint ArchCapabilitiesMsr = 0x10A;
    private const ulong CpuidFaulting = 1ul << 31;
    private const uint LastExtendedStateComponent = 62;

    /// <summary>The next leaf of a policy, as <c>xen_cpuid_leaf_t</c>; false after the last one.</summary>
    public static bool NextLeaf(CpuPolicy* policy, ref uint position, out CpuIdLeaf leaf)
    {
        leaf = default;
        while (position < CpuPolicy.SlotCount)
        {
            int slot = (int)position++;
            LeafOfSlot(slot, out leaf.Leaf, out leaf.Subleaf);
            if (!IsWithinLimits(policy, leaf.Leaf, leaf.Subleaf))
            {
                continue;
            }

            CpuidResult* result = CpuPolicy.At(policy, slot);
            leaf.A = result->A;
            leaf.B = result->B;
            leaf.C = result->C;
            leaf.D = result->D;
            return true;
        }

        return false;
    }

    /// <summary>Number of leaves that <see cref="NextLeaf"/> yields.</summary>
    public static uint CountLeaves(CpuPolicy* policy)
    {
        uint count = 0;
        uint position = 0;
        while (NextLeaf(policy, ref position, out _))
        {
            count++;
        }

        return count;
    }

    /// <summary>The next MSR of a policy, as <c>xen_msr_entry_t</c>; false after the last one.</summary>
    public static bool NextMsr(CpuPolicy* policy, ref uint position, out MsrEntry entry)
    {
        entry = default;
        switch (position)
        {
            case 0:
                entry.Idx = PlatformInfoMsr;
                entry.Val = policy->PlatformInfo;
                break;
            case 1:
                entry.Idx = ArchCapabilitiesMsr;
                entry.Val = policy->ArchCapabilities;
                break;
            default:
                return false;
        }

        position++;
        return true;
    }

    /// <summary>Takes over one leaf from the tools.</summary>
    /// <returns><see cref="Errno.Range"/> if a policy has no such leaf.</returns>
    public static Errno MergeLeaf(CpuPolicy* policy, in CpuIdLeaf leaf, out CpuPolicyError error)
    {
        error = NoError();
        bool hasSubleaf = leaf.Subleaf != CpuIdNoSubleaf.Value;
        int slot = CpuPolicy.SlotOf(leaf.Leaf, leaf.Subleaf);
        if (slot < 0 || hasSubleaf != CpuPolicy.HasSubleaves(leaf.Leaf))
        {
            // Components that no guest of ours can have are welcome as long as they are not there.
            bool isEmptyComponent = leaf.Leaf == 0xD && leaf.Subleaf <= LastExtendedStateComponent
                && (leaf.A | leaf.B | leaf.C | leaf.D) == 0;
            if (isEmptyComponent)
            {
                return Errno.Ok;
            }

            error.Leaf = leaf.Leaf;
            error.Subleaf = leaf.Subleaf;
            return Errno.Range;
        }

        CpuidResult* result = CpuPolicy.At(policy, slot);
        result->A = leaf.A;
        result->B = leaf.B;
        result->C = leaf.C;
        result->D = leaf.D;
        return Errno.Ok;
    }

    /// <summary>Takes over one MSR from the tools.</summary>
    /// <returns>
    /// <see cref="Errno.Range"/> if a policy has no such MSR, <see cref="Errno.Inval"/> for reserved flags.
    /// </returns>
    public static Errno MergeMsr(CpuPolicy* policy, in MsrEntry entry, out CpuPolicyError error)
    {
        error = NoError();
        error.Msr = entry.Idx;
        if (entry.Flags != 0)
        {
            return Errno.Inval;
        }

        switch (entry.Idx)
        {
            case PlatformInfoMsr:
                policy->PlatformInfo = entry.Val;
                break;
            case ArchCapabilitiesMsr:
                policy->ArchCapabilities = entry.Val;
                break;
            default:
                return Errno.Range;
        }

        error = NoError();
        return Errno.Ok;
    }

    /// <summary>
    /// Checks a policy after all has been merged and makes it consistent. Features may be missing, none may be added to
    /// <paramref name="max"/>; limits may be lower, none higher.
    /// </summary>
    /// <returns>
    /// <see cref="Errno.Inval"/> with the place in <paramref name="error"/>; the policy is then not to be used.
    /// </returns>
    public static Errno Finish(CpuPolicy* max, CpuPolicy* policy, out CpuPolicyError error)
    {
        error = NoError();
        if (Exceeds(max, policy, 0, ref error)
            || Exceeds(max, policy, CpuPolicy.FeatureSlot, ref error)
            || Exceeds(max, policy, CpuPolicy.ExtendedSlot, ref error))
        {
            return Errno.Inval;
        }

        // The limit of the extended leaves is a leaf number, so less than the first one is none.
        if (CpuPolicy.At(policy, CpuPolicy.ExtendedSlot)->A < CpuPolicy.FirstExtendedLeaf)
        {
            CpuPolicy.At(policy, CpuPolicy.ExtendedSlot)->A = CpuPolicy.FirstExtendedLeaf;
        }

        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            uint ignored = PvFeatures.Hardware(word) | PvFeatures.Dynamic(word);
            if ((FeatureWord(policy, word) & ~FeatureWord(max, word) & ~ignored) == 0)
            {
                continue;
            }

            if (word is PvFeatures.ArchCapabilitiesLow or PvFeatures.ArchCapabilitiesHigh)
            {
                error.Msr = ArchCapabilitiesMsr;
            }
            else
            {
                LeafOfSlot(SlotOfWord(word, out _), out error.Leaf, out error.Subleaf);
            }

            return Errno.Inval;
        }

        // A guest that has seen CPUID faulting elsewhere just finds it gone; anything else of this MSR is not ours.
        if ((policy->PlatformInfo & ~CpuidFaulting) != 0)
        {
            error.Msr = PlatformInfoMsr;
            return Errno.Inval;
        }

        Normalise(max, policy);
        return Errno.Ok;
    }

    /// <summary>Word of the featureset that XEN_SYSCTL_get_cpu_featureset hands out.</summary>
    public static uint FeatureWord(CpuPolicy* policy, int word)
    {
        switch (word)
        {
            case PvFeatures.ArchCapabilitiesLow:
                return (uint)policy->ArchCapabilities;
            case PvFeatures.ArchCapabilitiesHigh:
                return (uint)(policy->ArchCapabilities >> 32);
        }

        int slot = SlotOfWord(word, out int register);
        return slot < 0 ? 0 : ((uint*)CpuPolicy.At(policy, slot))[register];
    }

    private static void SetFeatureWord(CpuPolicy* policy, int word, uint value)
    {
        switch (word)
        {
            case PvFeatures.ArchCapabilitiesLow:
                policy->ArchCapabilities = (policy->ArchCapabilities & ~0xFFFF_FFFFul) | value;
                return;
            case PvFeatures.ArchCapabilitiesHigh:
                policy->ArchCapabilities = (policy->ArchCapabilities & 0xFFFF_FFFF) | ((ulong)value << 32);
                return;
        }

        int slot = SlotOfWord(word, out int register);
        if (slot >= 0)
        {
            ((uint*)CpuPolicy.At(policy, slot))[register] = value;
        }
    }

    // Which register (0 to 3 for A to D) of which leaf is a word of the featureset.
    private static int SlotOfWord(int word, out int register)
    {
        const int a = 0;
        const int b = 1;
        const int c = 2;
        const int d = 3;
        const int extended = CpuPolicy.ExtendedSlot;
        const int features = CpuPolicy.FeatureSlot;
        switch (word)
        {
            case 0:
                register = d;
                return 1;
            case 1:
                register = c;
                return 1;
            case 2:
                register = d;
                return extended + 1;
            case 3:
                register = c;
                return extended + 1;
            case 4:
                register = a;
                return CpuPolicy.ExtendedStateSlot + 1;
            case 5:
                register = b;
                return features;
            case 6:
                register = c;
                return features;
            case 7:
                register = d;
                return extended + 7;
            case 8:
                register = b;
                return extended + 8;
            case 9:
                register = d;
                return features;
            case 10:
                register = a;
                return features + 1;
            case 11:
                register = a;
                return extended + 0x21;
            case 12:
                register = b;
                return features + 1;
            case 13:
                register = d;
                return features + 2;
            case 14:
                register = c;
                return features + 1;
            case 15:
                register = d;
                return features + 1;
            case 18:
                register = c;
                return extended + 0x21;
            default:
                register = a;
                return -1;
        }
    }

    private static bool Exceeds(CpuPolicy* max, CpuPolicy* policy, int slot, ref CpuPolicyError error)
    {
        if (CpuPolicy.At(policy, slot)->A <= CpuPolicy.At(max, slot)->A)
        {
            return false;
        }

        LeafOfSlot(slot, out error.Leaf, out error.Subleaf);
        return true;
    }

    private static bool IsWithinLimits(CpuPolicy* policy, uint leaf, uint subleaf)
    {
        if (leaf < CpuPolicy.FirstHypervisorLeaf)
        {
            return leaf <= CpuPolicy.At(policy, 0)->A
                && (leaf != 7 || subleaf <= CpuPolicy.At(policy, CpuPolicy.FeatureSlot)->A);
        }

        return leaf <= CpuPolicy.FirstExtendedLeaf || leaf <= CpuPolicy.At(policy, CpuPolicy.ExtendedSlot)->A;
    }

    private static void LeafOfSlot(int slot, out uint leaf, out uint subleaf)
    {
        subleaf = CpuIdNoSubleaf.Value;
        switch (slot)
        {
            case < CpuPolicy.CacheSlot:
                leaf = (uint)slot;
                break;
            case < CpuPolicy.Leaf5Slot:
                leaf = 4;
                subleaf = (uint)(slot - CpuPolicy.CacheSlot);
                break;
            case < CpuPolicy.FeatureSlot:
                leaf = (uint)(slot - CpuPolicy.Leaf5Slot + 5);
                break;
            case < CpuPolicy.Leaf8Slot:
                leaf = 7;
                subleaf = (uint)(slot - CpuPolicy.FeatureSlot);
                break;
            case < CpuPolicy.TopologySlot:
                leaf = (uint)(slot - CpuPolicy.Leaf8Slot + 8);
                break;
            case < CpuPolicy.LeafCSlot:
                leaf = 0xB;
                subleaf = (uint)(slot - CpuPolicy.TopologySlot);
                break;
            case CpuPolicy.LeafCSlot:
                leaf = 0xC;
                break;
            case < CpuPolicy.HypervisorSlot:
                leaf = 0xD;
                subleaf = (uint)(slot - CpuPolicy.ExtendedStateSlot);
                break;
            case CpuPolicy.HypervisorSlot:
                leaf = CpuPolicy.FirstHypervisorLeaf;
                break;
            case CpuPolicy.HypervisorSlot + 1:
                leaf = CpuPolicy.SecondHypervisorLeaf;
                break;
            default:
                leaf = CpuPolicy.FirstExtendedLeaf + (uint)(slot - CpuPolicy.ExtendedSlot);
                break;
        }
    }

    private static CpuPolicyError NoError()
    {
        CpuPolicyError error;
        error.Leaf = CpuPolicyError.None;
        error.Subleaf = CpuPolicyError.None;
        error.Msr = CpuPolicyError.None;
        return error;
    }
}
