// SPDX-License-Identifier: MIT
using System.Runtime.InteropServices;

namespace Hypervisor.Core.Emulation;

/// <summary>What the processor itself answers, captured once at boot.</summary>
/// <remarks>
/// <see cref="Next"/> says which leaf to ask for and <see cref="Add"/> takes the answer, so that the walk, which
/// depends on the answers, needs no processor: <c>while (host->Next(out leaf, out subleaf)) host->Add(leaf, subleaf,
/// …);</c>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct HostCpuid
{
    public const int Capacity = 96;

    private const int EntryWords = 6;

    /// <summary>MSR 10Ah (ARCH_CAPABILITIES) where leaf 7 announces it, else 0.</summary>
    public ulong ArchCapabilities;

    /// <summary>Leaves captured so far.</summary>
    public int Count;

    private uint _nextLeaf;
    private uint _nextSubleaf;
    private fixed uint _entries[Capacity * EntryWords];

    /// <summary>The next leaf to capture; false after the last one.</summary>
    public readonly bool Next(out uint leaf, out uint subleaf)
    {
        leaf = _nextLeaf;
        subleaf = _nextSubleaf;
        return leaf != uint.MaxValue && Count < Capacity;
    }

    /// <summary>Records the answer to the leaf that <see cref="Next"/> has named and moves on.</summary>
    public void Add(uint leaf, uint subleaf, uint a, uint b, uint c, uint d)
    {
        if (Count >= Capacity)
        {
            return;
        }

        fixed (uint* entries = _entries)
        {
            uint* entry = entries + Count * EntryWords;
            entry[0] = leaf;
            entry[1] = subleaf;
            entry[2] = a;
            entry[3] = b;
            entry[4] = c;
            entry[5] = d;
        }

        Count++;
        Advance(leaf, subleaf, a, b);
    }

    /// <summary>The captured answer, or zeros.</summary>
    public readonly bool Find(uint leaf, uint subleaf, out CpuidResult result)
    {
        result = default;
        fixed (uint* entries = _entries)
        {
            for (int index = 0; index < Count; index++)
            {
                uint* entry = entries + index * EntryWords;
                if (entry[0] == leaf && entry[1] == subleaf)
                {
                    result.A = entry[2];
                    result.B = entry[3];
                    result.C = entry[4];
                    result.D = entry[5];
                    return true;
                }
            }
        }

        return false;
    }

    private void Advance(uint leaf, uint subleaf, uint a, uint b)
    {
        // Within a leaf: does its own answer, or that of its subleaf 0, promise another subleaf?
        _ = Find(leaf, 0, out CpuidResult first);
        _nextSubleaf = subleaf + 1;
        bool more = leaf switch
        {
            4 => (a & 0x1F) != 0 && _nextSubleaf < CpuPolicy.CacheLeaves,
            7 => _nextSubleaf <= first.A && _nextSubleaf < CpuPolicy.FeatureLeaves,
            0xB => (b & 0xFFFF) != 0 && _nextSubleaf < CpuPolicy.TopologyLeaves,
            0xD => first.A != 0 && _nextSubleaf < CpuPolicy.ExtendedStateLeaves,
            _ => false,
        };
        if (more)
        {
            return;
        }

        _nextSubleaf = 0;
        bool extended = leaf >= CpuPolicy.FirstExtendedLeaf;
        _ = Find(extended ? CpuPolicy.FirstExtendedLeaf : 0, 0, out CpuidResult limit);
        uint last = extended ? CpuPolicy.LastExtendedLeaf : CpuPolicy.LastBasicLeaf;
        last = limit.A < last ? limit.A : last;
        _nextLeaf = leaf < last ? leaf + 1 : extended ? uint.MaxValue : CpuPolicy.FirstExtendedLeaf;
    }
}
