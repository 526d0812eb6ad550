// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using Hypervisor.Core.Emulation;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Emulation;

public unsafe class CpuidPolicyTests
{
    public static TheoryData<CpuFeature> HiddenFeatures =>
    [
        CpuFeature.Vme, CpuFeature.Pse, CpuFeature.Mtrr, CpuFeature.Pge, CpuFeature.Pse36, CpuFeature.Ds,
        CpuFeature.Tm1, CpuFeature.Pbe, CpuFeature.Dtes64, CpuFeature.Monitor, CpuFeature.Vmx, CpuFeature.Smx, CpuFeature.Eist,
        CpuFeature.Pcid, CpuFeature.X2apic, CpuFeature.TscDeadline, CpuFeature.OsXSave, CpuFeature.Svm, CpuFeature.Osvw,
        CpuFeature.Ibs, CpuFeature.Topoext, CpuFeature.Dbext, CpuFeature.Page1gb, CpuFeature.TscAdjust, CpuFeature.Smep,
        CpuFeature.Smap, CpuFeature.Invpcid, CpuFeature.Mpx, CpuFeature.Pku, CpuFeature.Ospke, CpuFeature.Umip,
        CpuFeature.CetSs, CpuFeature.XSaveS, CpuFeature.Ibrs, CpuFeature.TsxCtrl, CpuFeature.Sep,
    ];

    public static TheoryData<CpuFeature> VisibleFeatures =>
    [
        CpuFeature.Fpu, CpuFeature.Tsc, CpuFeature.Msr, CpuFeature.Pae, CpuFeature.Mce, CpuFeature.Cx8, CpuFeature.Apic,
        CpuFeature.Mca, CpuFeature.Pat, CpuFeature.Htt, CpuFeature.Cx16, CpuFeature.XSave,
        CpuFeature.Avx, CpuFeature.Rdrand, CpuFeature.Hypervisor, CpuFeature.Syscall, CpuFeature.Nx, CpuFeature.Rdtscp, CpuFeature.Lm,
        CpuFeature.LahfLm, CpuFeature.CmpLegacy, CpuFeature.XSaveOpt, CpuFeature.Fsgsbase, CpuFeature.Avx2,
        CpuFeature.Rdseed, CpuFeature.Avx512f, CpuFeature.Rdpid, CpuFeature.Clzero, CpuFeature.ArchCaps,
        CpuFeature.RdclNo, CpuFeature.ItsNo, CpuFeature.NoFpuSel,
    ];

    public static TheoryData<CpuFeature> OptInFeatures =>
        [CpuFeature.Itsc, CpuFeature.Hle, CpuFeature.Movdiri, CpuFeature.Movdir64b, CpuFeature.Tsxldtrk];

    public static TheoryData<CpuFeature> SpeculationFeatures =>
        [CpuFeature.Ibrsb, CpuFeature.Stibp, CpuFeature.Ssbd, CpuFeature.Ibpb, CpuFeature.IntelPsfd, CpuFeature.Eibrs];

    [Theory]
    [MemberData(nameof(HiddenFeatures))]
    public void Features_that_are_not_for_PV_are_in_no_policy(CpuFeature feature)
    {
        CpuPolicy intel = Max(SampleHost.Intel());
        CpuPolicy amd = Max(SampleHost.Amd());
        Assert.False(CpuidPolicy.Has(&intel, feature));
        Assert.False(CpuidPolicy.Has(&amd, feature));
    }

    [Theory]
    [MemberData(nameof(VisibleFeatures))]
    public void Features_that_are_for_all_guests_are_in_the_default(CpuFeature feature)
    {
        CpuPolicy policy = Default(SampleHost.Intel());
        Assert.True(CpuidPolicy.Has(&policy, feature) || feature == CpuFeature.Clzero);
        CpuPolicy amd = Default(SampleHost.Amd());
        bool ofIntel = feature is CpuFeature.RdclNo or CpuFeature.ItsNo;
        Assert.True(CpuidPolicy.Has(&amd, feature) || ofIntel);
    }

    [Theory]
    [MemberData(nameof(OptInFeatures))]
    public void Features_to_be_asked_for_are_in_the_maximum_only(CpuFeature feature)
    {
        CpuPolicy max = Max(SampleHost.Amd());
        CpuPolicy policy = Default(SampleHost.Amd());
        Assert.True(CpuidPolicy.Has(&max, feature));
        Assert.False(CpuidPolicy.Has(&policy, feature));
    }

    [Theory]
    [MemberData(nameof(SpeculationFeatures))]
    public void Speculation_controls_are_shown_if_the_vCPU_has_them(CpuFeature feature)
    {
        HostCpuid host = SampleHost.Intel();
        CpuPolicy with;
        CpuPolicy without;
        SampleHost.BuildPvMax(host, true, &with);
        SampleHost.BuildPvMax(host, false, &without);
        Assert.True(CpuidPolicy.Has(&with, feature));
        Assert.False(CpuidPolicy.Has(&without, feature));
    }

    [Fact]
    public void Dom0_may_rely_on_an_invariant_TSC()
    {
        CpuPolicy max = Max(SampleHost.Amd());
        CpuPolicy policy;
        CpuidPolicy.BuildDom0(&max, &policy);
        Assert.True(CpuidPolicy.Has(&policy, CpuFeature.Itsc));
        Assert.False(CpuidPolicy.Has(&policy, CpuFeature.Hle));
    }

    [Fact]
    public void AMD_repeats_the_common_features_in_the_extended_leaf_and_Intel_does_not()
    {
        CpuPolicy amd = Default(SampleHost.Amd());
        CpuPolicy intel = Default(SampleHost.Intel());
        uint basic = SampleHost.Read(&amd, default, 1).D;
        uint extended = SampleHost.Read(&amd, default, 0x8000_0001).D;
        Assert.Equal(basic & PvFeatures.CommonWithLeaf1, extended & PvFeatures.CommonWithLeaf1);
        Assert.NotEqual(0u, extended & PvFeatures.CommonWithLeaf1);
        Assert.Equal(0u, SampleHost.Read(&intel, default, 0x8000_0001).D & PvFeatures.CommonWithLeaf1);
    }

    [Fact]
    public void Leaves_that_a_guest_has_no_use_for_are_empty()
    {
        CpuPolicy policy = Max(SampleHost.Amd());
        uint[] leaves =
            [3, 5, 6, 8, 9, 0xA, 0xC, 0x8000_000A, 0x8000_001E, 0x8000_001F, 0xE, 0x15, 0x8000_0022, 0x8FFF_FFFF];
        foreach (uint leaf in leaves)
        {
            AssertEmpty(SampleHost.Read(&policy, default, leaf));
        }

        AssertEmpty(SampleHost.Read(&policy, default, 7, 3));
        AssertEmpty(SampleHost.Read(&policy, default, 0xD, 9)); // protection keys
        AssertEmpty(SampleHost.Read(&policy, default, 0xD, 62));
    }

    [Fact]
    public void The_limits_are_what_the_tools_can_hold()
    {
        CpuPolicy amd = Max(SampleHost.Amd());
        CpuPolicy intel = Max(SampleHost.Intel());
        Assert.Equal(0xDu, SampleHost.Read(&amd, default, 0).A);
        Assert.Equal(0x8000_0021u, SampleHost.Read(&amd, default, 0x8000_0000).A);
        Assert.Equal(0x8000_0008u, SampleHost.Read(&intel, default, 0x8000_0000).A);
        // 52 bits physical, not 57 but 48 linear.
        Assert.Equal(0x3034u, SampleHost.Read(&intel, default, 0x8000_0008).A);
    }

    [Fact]
    public void Leaf_1_and_leaf_Bh_tell_the_vCPU_its_id()
    {
        CpuPolicy policy = Default(SampleHost.Intel());
        CpuidContext context = default;
        context.VcpuId = 5;
        Assert.Equal(0x0A10_0800u, SampleHost.Read(&policy, context, 1).B);
        CpuidResult topology = SampleHost.Read(&policy, context, 0xB, 3);
        Assert.Equal((0u, 0u, 3u, 10u), (topology.A, topology.B, topology.C, topology.D));
    }

    [Fact]
    public void OSXSAVE_mirrors_CR4()
    {
        CpuPolicy policy = Default(SampleHost.Amd());
        CpuidContext context = default;
        Assert.Equal(0u, SampleHost.Read(&policy, context, 1).C & (1u << 27));
        context.OsXsave = true;
        Assert.NotEqual(0u, SampleHost.Read(&policy, context, 1).C & (1u << 27));
    }

    [Theory]
    [InlineData(0x3ul, 576u, 576u)]
    [InlineData(0x7ul, 0x340u, 0x340u)]
    [InlineData(0xE7ul, 0xA80u, 0x980u)]
    [InlineData(0x47ul, 0x680u, 0x540u)]
    [InlineData(0x87ul, 0xA80u, 0x740u)]
    public void Sizes_of_the_extended_state_follow_XCR0(ulong xcr0, uint standard, uint compacted)
    {
        CpuPolicy policy = Default(SampleHost.Intel());
        CpuidContext context = default;
        context.Xcr0 = xcr0;
        CpuidResult leaf = SampleHost.Read(&policy, context, 0xD);
        Assert.Equal(0xE7u, leaf.A);
        Assert.Equal(standard, leaf.B);
        Assert.Equal(0xA80u, leaf.C);
        CpuidResult second = SampleHost.Read(&policy, context, 0xD, 1);
        Assert.Equal(7u, second.A);
        Assert.Equal(compacted, second.B);
        Assert.Equal(0u, second.C | second.D);
    }

    [Theory]
    [InlineData(0ul, false)]
    [InlineData(1ul, true)]
    [InlineData(3ul, true)]
    [InlineData(5ul, false)]
    [InlineData(7ul, true)]
    [InlineData(0x27ul, false)]
    [InlineData(0xE3ul, false)]
    [InlineData(0xE7ul, true)]
    [InlineData(0x1Ful, false)]
    [InlineData(0x2E7ul, false)]
    [InlineData(0x8000_0000_0000_0007ul, false)]
    public void XSETBV_takes_what_the_processor_would_take_of_what_is_offered(ulong value, bool valid)
    {
        CpuPolicy policy = Default(SampleHost.Intel());
        Assert.Equal(valid, CpuidPolicy.IsValidXcr0(&policy, value));
    }

    [Fact]
    public void The_hypervisor_leaves_are_those_of_Xen()
    {
        CpuPolicy policy = Default(SampleHost.Amd());
        CpuidContext context = default;
        context.MachineAddressBits = 46;
        context.TscEmulated = true;
        context.TscMode = 2;
        context.TscGuestKhz = 2_600_000;
        context.TscHostKhz = 2_700_000;
        context.TscIncarnation = 9;
        context.TscOffset = 0x1_2345_6789;
        context.TscMultiplier = 0xC0DE;
        context.TscShift = -1;

        CpuidResult signature = SampleHost.Read(&policy, context, 0x4000_0000);
        Assert.Equal(0x4000_0005u, signature.A);
        uint[] words = [signature.B, signature.C, signature.D];
        Assert.Equal("XenVMMXenVMM"u8, MemoryMarshal.AsBytes(words.AsSpan()));
        Assert.Equal(0x0004_0011u, SampleHost.Read(&policy, context, 0x4000_0001).A);
        CpuidResult hypercall = SampleHost.Read(&policy, context, 0x4000_0002);
        Assert.Equal((1u, 0x4000_0000u, 1u), (hypercall.A, hypercall.B, hypercall.C));
        CpuidResult time = SampleHost.Read(&policy, context, 0x4000_0003);
        Assert.Equal((5u, 2u, 2_600_000u, 9u), (time.A, time.B, time.C, time.D));
        CpuidResult conversion = SampleHost.Read(&policy, context, 0x4000_0003, 1);
        Assert.Equal((0x2345_6789u, 1u, 0xC0DEu, uint.MaxValue),
            (conversion.A, conversion.B, conversion.C, conversion.D));
        Assert.Equal(2_700_000u, SampleHost.Read(&policy, context, 0x4000_0003, 2).A);
        AssertEmpty(SampleHost.Read(&policy, context, 0x4000_0004));
        CpuidResult pv = SampleHost.Read(&policy, context, 0x4000_0005);
        Assert.Equal((0u, 46u), (pv.A, pv.B));
        AssertEmpty(SampleHost.Read(&policy, context, 0x4000_0006));
        for (uint leaf = 0x4000_0100; leaf < 0x4001_0000; leaf += 0x100)
        {
            AssertEmpty(SampleHost.Read(&policy, context, leaf));
        }
    }

    [Fact]
    public void The_feature_map_of_the_version_hypercall_is_that_of_Xen()
    {
        Assert.Equal(0x0002_28F0u, XenFeatures.ForPv(true));
        Assert.Equal(0x0002_20F0u, XenFeatures.ForPv(false));
    }

    [Fact]
    public void The_processor_at_hand_gives_a_policy_that_shows_no_more_than_it_has()
    {
        HostCpuid host = SampleHost.Native();
        Assert.InRange(host.Count, 10, HostCpuid.Capacity - 1);
        Assert.False(host.Next(out _, out _));
        CpuPolicy raw;
        CpuidPolicy.BuildHost(&host, &raw);
        CpuPolicy max = Max(host);
        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            uint added = word == 1 ? 1u << 31 : 0; // HYPERVISOR
            Assert.Equal(0u, CpuidPolicy.FeatureWord(&max, word) & ~CpuidPolicy.FeatureWord(&raw, word) & ~added);
        }

        Assert.True(CpuidPolicy.Has(&max, CpuFeature.Lm));
        Assert.True(CpuidPolicy.Has(&max, CpuFeature.Nx));
    }

    internal static CpuPolicy Max(HostCpuid host)
    {
        CpuPolicy policy;
        SampleHost.BuildPvMax(host, true, &policy);
        return policy;
    }

    internal static CpuPolicy Default(HostCpuid host)
    {
        CpuPolicy max = Max(host);
        CpuPolicy policy;
        CpuidPolicy.BuildPvDefault(&max, &policy);
        return policy;
    }

    private static void AssertEmpty(CpuidResult result) => Assert.Equal(0u, result.A | result.B | result.C | result.D);
}
