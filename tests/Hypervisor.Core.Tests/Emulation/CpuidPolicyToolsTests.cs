// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Hypervisor.Core.Emulation;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Emulation;

public unsafe class CpuidPolicyToolsTests
{
    private const uint NoSubleaf = 0xFFFF_FFFF;

    [Fact]
    public void What_goes_out_comes_back_the_same()
    {
        foreach (HostCpuid host in (HostCpuid[])[SampleHost.Intel(), SampleHost.Amd(), SampleHost.Native()])
        {
            CpuPolicy max = CpuidPolicyTests.Max(host);
            CpuPolicy policy = CpuidPolicyTests.Default(host);
            CpuPolicy copy = default;
            foreach (CpuIdLeaf leaf in Leaves(policy))
            {
                Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&copy, leaf, out _));
            }

            for (uint position = 0; CpuidPolicy.NextMsr(&policy, ref position, out MsrEntry entry);)
            {
                Assert.Equal(Errno.Ok, CpuidPolicy.MergeMsr(&copy, entry, out _));
            }

            Assert.True(Same(policy, copy));
            Assert.Equal(Errno.Ok, CpuidPolicy.Finish(&max, &copy, out CpuPolicyError error));
            Assert.Equal((NoSubleaf, NoSubleaf, NoSubleaf), (error.Leaf, error.Subleaf, error.Msr));
            Assert.True(Same(policy, copy));
        }
    }

    [Fact]
    public void Leaves_go_out_in_order_and_within_the_announced_number()
    {
        CpuPolicy policy = CpuidPolicyTests.Max(SampleHost.Amd());
        List<CpuIdLeaf> leaves = Leaves(policy);
        Assert.Equal((uint)leaves.Count, CpuidPolicy.CountLeaves(&policy));
        Assert.InRange((uint)leaves.Count, 1u, CpuidPolicy.MaxLeaves);
        for (int index = 1; index < leaves.Count; index++)
        {
            (uint, uint) before = (leaves[index - 1].Leaf, leaves[index - 1].Subleaf);
            Assert.True(before.CompareTo((leaves[index].Leaf, leaves[index].Subleaf)) < 0);
        }

        foreach (CpuIdLeaf leaf in leaves)
        {
            Assert.Equal(leaf.Leaf is 4 or 7 or 0xB or 0xD, leaf.Subleaf != NoSubleaf);
        }
    }

    [Theory]
    [InlineData(0u, 0u)]
    [InlineData(7u, NoSubleaf)]
    [InlineData(7u, 3u)]
    [InlineData(4u, 6u)]
    [InlineData(0xBu, 2u)]
    [InlineData(0xDu, 10u)]
    [InlineData(0xDu, 63u)]
    [InlineData(0xEu, NoSubleaf)]
    [InlineData(0x4000_0001u, NoSubleaf)]
    [InlineData(0x8000_0022u, NoSubleaf)]
    [InlineData(0x8000_0001u, 0u)]
    public void A_leaf_that_no_policy_has_is_out_of_range_and_named(uint leaf, uint subleaf)
    {
        CpuPolicy policy = default;
        CpuIdLeaf entry = new() { Leaf = leaf, Subleaf = subleaf, A = 1 };
        Assert.Equal(Errno.Range, CpuidPolicy.MergeLeaf(&policy, entry, out CpuPolicyError error));
        Assert.Equal((leaf, subleaf, NoSubleaf), (error.Leaf, error.Subleaf, error.Msr));
        Assert.True(Same(default, policy));
    }

    [Fact]
    public void Empty_extended_state_components_beyond_ours_are_accepted()
    {
        CpuPolicy policy = default;
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, new CpuIdLeaf { Leaf = 0xD, Subleaf = 62 }, out _));
    }

    [Theory]
    [InlineData(0xCDu, 0u, Errno.Range)]
    [InlineData(0x10Au, 1u, Errno.Inval)]
    public void An_MSR_that_no_policy_has_is_refused_and_named(uint msr, uint flags, Errno expected)
    {
        CpuPolicy policy = default;
        MsrEntry entry = new() { Idx = msr, Flags = flags, Val = 1 };
        Assert.Equal(expected, CpuidPolicy.MergeMsr(&policy, entry, out CpuPolicyError error));
        Assert.Equal((NoSubleaf, NoSubleaf, msr), (error.Leaf, error.Subleaf, error.Msr));
        Assert.True(Same(default, policy));
    }

    [Theory]
    [InlineData(0u, NoSubleaf, 'a', 0xEu)]
    [InlineData(1u, NoSubleaf, 'd', 1u << 3)] // PSE
    [InlineData(1u, NoSubleaf, 'c', 1u << 5)] // VMX
    [InlineData(7u, 0u, 'a', 3u)]
    [InlineData(7u, 0u, 'b', 1u << 20)] // SMAP
    [InlineData(7u, 2u, 'd', 1u << 4)] // BHI_CTRL
    [InlineData(0xDu, 1u, 'a', 1u << 3)] // XSAVES
    [InlineData(0x8000_0000u, NoSubleaf, 'a', 0x8000_0022u)]
    [InlineData(0x8000_0001u, NoSubleaf, 'c', 1u << 2)] // SVM
    [InlineData(0x8000_0008u, NoSubleaf, 'b', 1u << 14)] // IBRS
    public void What_exceeds_the_maximum_is_refused_and_named(uint leaf, uint subleaf, char register, uint value)
    {
        CpuPolicy max = CpuidPolicyTests.Max(SampleHost.Amd());
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        CpuIdLeaf entry = Leaves(policy).Find(other => other.Leaf == leaf && other.Subleaf == subleaf);
        bool isLimit = register == 'a' && leaf != 0xD;
        entry.A = isLimit ? value : register == 'a' ? entry.A | value : entry.A;
        entry.B |= register == 'b' ? value : 0;
        entry.C |= register == 'c' ? value : 0;
        entry.D |= register == 'd' ? value : 0;
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, entry, out _));
        Assert.Equal(Errno.Inval, CpuidPolicy.Finish(&max, &policy, out CpuPolicyError error));
        Assert.Equal((leaf, subleaf, NoSubleaf), (error.Leaf, error.Subleaf, error.Msr));
    }

    [Theory]
    [InlineData(0x10Au, 1ul << 12)] // DOITM
    [InlineData(0x10Au, 1ul << 40)]
    [InlineData(0xCEu, 1ul << 8)]
    public void MSR_bits_beyond_the_maximum_are_refused_and_named(uint msr, ulong value)
    {
        CpuPolicy max = CpuidPolicyTests.Max(SampleHost.Intel());
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeMsr(&policy, new MsrEntry { Idx = msr, Val = value }, out _));
        Assert.Equal(Errno.Inval, CpuidPolicy.Finish(&max, &policy, out CpuPolicyError error));
        Assert.Equal((NoSubleaf, NoSubleaf, msr), (error.Leaf, error.Subleaf, error.Msr));
    }

    [Fact]
    public void Bits_that_are_not_for_the_tools_to_decide_are_neither_refused_nor_believed()
    {
        CpuPolicy max = CpuidPolicyTests.Max(SampleHost.Intel());
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
        CpuIdLeaf basic = Leaves(policy).Find(leaf => leaf.Leaf == 1);
        basic.C = (basic.C | (1u << 27) | (1u << 21)) & ~(1u << 31); // OSXSAVE, X2APIC, HYPERVISOR
        basic.D &= ~(1u << 28); // HTT
        CpuIdLeaf extended = Leaves(policy).Find(leaf => leaf.Leaf == 0x8000_0001);
        extended.D |= 1; // FPU, as AMD repeats it
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, basic, out _));
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, extended, out _));
        Assert.Equal(Errno.Ok, CpuidPolicy.Finish(&max, &policy, out _));
        Assert.True(Same(CpuidPolicyTests.Default(SampleHost.Intel()), policy));
    }

    [Fact]
    public void What_depends_on_a_withdrawn_feature_goes_with_it()
    {
        CpuPolicy max = CpuidPolicyTests.Max(SampleHost.Intel());
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
        CpuIdLeaf basic = Leaves(policy).Find(leaf => leaf.Leaf == 1);
        basic.C &= ~(1u << 28); // AVX
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, basic, out _));
        Assert.Equal(Errno.Ok, CpuidPolicy.Finish(&max, &policy, out _));
        Assert.False(CpuidPolicy.Has(&policy, CpuFeature.Avx2));
        Assert.False(CpuidPolicy.Has(&policy, CpuFeature.Avx512Vbmi));
        Assert.False(CpuidPolicy.Has(&policy, CpuFeature.Avx512Bf16));
        Assert.Equal(3ul, CpuidPolicy.ExtendedStateMask(&policy));
        CpuidResult leaf = SampleHost.Read(&policy, default, 0xD);
        Assert.Equal((3u, 576u, 576u), (leaf.A, leaf.B, leaf.C));
        Assert.Equal(0u, SampleHost.Read(&policy, default, 0xD, 2).A);

        basic.C &= ~(1u << 26); // XSAVE
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, basic, out _));
        Assert.Equal(Errno.Ok, CpuidPolicy.Finish(&max, &policy, out _));
        Assert.Equal(0ul, CpuidPolicy.ExtendedStateMask(&policy));
        CpuidContext context = default;
        context.OsXsave = true;
        Assert.Equal(0u, SampleHost.Read(&policy, context, 1).C & (1u << 27));
        Assert.False(CpuidPolicy.IsValidXcr0(&policy, 1));
    }

    [Fact]
    public void A_lower_limit_empties_the_leaves_beyond_it()
    {
        CpuPolicy max = CpuidPolicyTests.Max(SampleHost.Amd());
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        foreach (uint limit in (uint[])[0, 0x8000_0000])
        {
            CpuIdLeaf entry = Leaves(policy).Find(leaf => leaf.Leaf == limit);
            entry.A = limit + 4;
            Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, entry, out _));
        }

        Assert.Equal(Errno.Ok, CpuidPolicy.Finish(&max, &policy, out _));
        Assert.Equal(0u, CpuidPolicy.FeatureWord(&policy, 5));
        Assert.Equal(0u, CpuidPolicy.FeatureWord(&policy, 8));
        Assert.DoesNotContain(Leaves(policy), leaf => leaf.Leaf is > 4 and < 0x4000_0000 or > 0x8000_0004);
    }

    [Fact]
    public void Fewer_hypervisor_leaves_may_be_asked_for()
    {
        CpuPolicy max = CpuidPolicyTests.Max(SampleHost.Amd());
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        CpuIdLeaf entry = new() { Leaf = 0x4000_0000, Subleaf = NoSubleaf, A = 3 };
        Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, entry, out _));
        Assert.Equal(Errno.Ok, CpuidPolicy.Finish(&max, &policy, out _));
        CpuidContext context = default;
        context.MachineAddressBits = 46;
        Assert.Equal(0x4000_0003u, SampleHost.Read(&policy, context, 0x4000_0000).A);
        Assert.Equal(0u, SampleHost.Read(&policy, context, 0x4000_0005).B);
    }

    [Fact]
    public void Whatever_the_tools_write_a_finished_policy_is_within_the_maximum()
    {
        Random random = new(42);
        CpuPolicy max = CpuidPolicyTests.Max(SampleHost.Intel());
        List<CpuIdLeaf> offered = Leaves(max);
        int accepted = 0;
        for (int round = 0; round < 20_000; round++)
        {
            CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
            for (int count = random.Next(1, 6); count > 0; count--)
            {
                CpuIdLeaf leaf = offered[random.Next(offered.Count)];
                bool wild = random.Next(8) == 0;
                leaf.A = wild ? (uint)random.NextInt64() : leaf.A & (uint)random.NextInt64();
                leaf.B = wild ? (uint)random.NextInt64() : leaf.B & (uint)random.NextInt64();
                leaf.C = wild ? (uint)random.NextInt64() : leaf.C & (uint)random.NextInt64();
                leaf.D = wild ? (uint)random.NextInt64() : leaf.D & (uint)random.NextInt64();
                Assert.Equal(Errno.Ok, CpuidPolicy.MergeLeaf(&policy, leaf, out _));
            }

            if (CpuidPolicy.Finish(&max, &policy, out CpuPolicyError error) != Errno.Ok)
            {
                Assert.NotEqual(NoSubleaf, error.Leaf & error.Msr);
                continue;
            }

            accepted++;
            for (int word = 0; word < PvFeatures.WordCount; word++)
            {
                uint value = CpuidPolicy.FeatureWord(&policy, word);
                uint common = word == 2 ? PvFeatures.CommonWithLeaf1 : 0; // of a vendor that the tools made up
                Assert.Equal(0u, value & ~CpuidPolicy.FeatureWord(&max, word) & ~common);
            }

            Assert.Equal(0ul, CpuidPolicy.ExtendedStateMask(&policy) & ~CpuidPolicy.ExtendedStateMask(&max));
            Assert.True(SampleHost.Read(&policy, default, 0xD).C <= 0xA80);
            Assert.True(SampleHost.Read(&policy, default, 0).A <= 0xD);
            Assert.InRange(SampleHost.Read(&policy, default, 0x8000_0008).A & 0xFF, 0u, 52u);
            CpuPolicy again = policy;
            Assert.Equal(Errno.Ok, CpuidPolicy.Finish(&max, &again, out _));
            Assert.True(Same(policy, again));
        }

        Assert.InRange(accepted, 1000, 19_999);
    }

    private static List<CpuIdLeaf> Leaves(CpuPolicy policy)
    {
        List<CpuIdLeaf> leaves = [];
        for (uint position = 0; CpuidPolicy.NextLeaf(&policy, ref position, out CpuIdLeaf leaf);)
        {
            leaves.Add(leaf);
        }

        return leaves;
    }

    private static bool Same(CpuPolicy left, CpuPolicy right) =>
        new ReadOnlySpan<byte>(&left, sizeof(CpuPolicy))
            .SequenceEqual(new ReadOnlySpan<byte>(&right, sizeof(CpuPolicy)));
}
