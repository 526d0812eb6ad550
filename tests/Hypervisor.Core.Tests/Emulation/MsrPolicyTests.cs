// SPDX-License-Identifier: MIT
using Hypervisor.Core.Emulation;
using Xunit;

namespace Hypervisor.Core.Tests.Emulation;

public unsafe class MsrPolicyTests
{
    private const uint SpecCtrl = 0x48;
    private const uint Efer = 0xC000_0080;

    [Theory]
    [InlineData(0xC000_0100u, MsrAction.FsBase)]
    [InlineData(0xC000_0101u, MsrAction.GsBase)]
    [InlineData(0xC000_0102u, MsrAction.KernelGsBase)]
    public void Bases_are_state_of_the_vCPU_and_must_be_canonical(uint msr, MsrAction action)
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(action, MsrPolicy.Read(msr, context, out _));
        Assert.Equal(action, MsrPolicy.Write(msr, 0xFFFF_8000_0000_0000, context));
        Assert.Equal(action, MsrPolicy.Write(msr, 0x0000_7FFF_FFFF_FFFF, context));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(msr, 0x0000_8000_0000_0000, context));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(msr, 0xFFFF_7FFF_FFFF_FFFF, context));
    }

    [Fact]
    public void TSC_AUX_has_32_bits_and_needs_RDTSCP()
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        CpuPolicy bare = default;
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(MsrAction.TscAux, MsrPolicy.Read(0xC000_0103, context, out _));
        Assert.Equal(MsrAction.TscAux, MsrPolicy.Write(0xC000_0103, uint.MaxValue, context));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(0xC000_0103, 1ul << 32, context));
        context.Policy = &bare;
        Assert.Equal(MsrAction.Fault, MsrPolicy.Read(0xC000_0103, context, out _));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(0xC000_0103, 0, context));
    }

    [Fact]
    public void EFER_shows_long_mode_and_NX_and_takes_nothing_else()
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(MsrAction.Known, MsrPolicy.Read(Efer, context, out ulong value));
        Assert.Equal(0xD01ul, value);
        Assert.Equal(MsrAction.Ignore, MsrPolicy.Write(Efer, value, context));
        for (int bit = 0; bit < 64; bit++)
        {
            Assert.Equal(MsrAction.Fault, MsrPolicy.Write(Efer, value ^ (1ul << bit), context));
        }
    }

    [Fact]
    public void The_page_attribute_table_is_that_of_the_hypervisor()
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(MsrAction.Known, MsrPolicy.Read(0x277, context, out ulong value));
        Assert.Equal(0x0000_0501_0007_0406ul, value);
        Assert.Equal(MsrAction.Ignore, MsrPolicy.Write(0x277, value, context));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(0x277, 0x0007_0406_0007_0406, context));
    }

    // What a stock kernel reads at boot on an AMD machine, and must not fault on.
    [Theory]
    [InlineData(0x10u, MsrAction.Tsc, 0ul)]
    [InlineData(0x1Bu, MsrAction.Known, 0xFEE0_0900ul)]
    [InlineData(0x8Bu, MsrAction.Host, 0ul)]
    [InlineData(0x179u, MsrAction.Known, 2ul)]
    [InlineData(0x17Au, MsrAction.Known, 0ul)]
    [InlineData(0x400u, MsrAction.Known, ulong.MaxValue)]
    [InlineData(0x401u, MsrAction.Known, 0ul)]
    [InlineData(0x404u, MsrAction.Known, ulong.MaxValue)]
    [InlineData(0x407u, MsrAction.Known, 0ul)]
    [InlineData(0x408u, MsrAction.Fault, 0ul)]
    [InlineData(0x3FFu, MsrAction.Fault, 0ul)]
    [InlineData(0xC001_0000u, MsrAction.Known, 0ul)]
    [InlineData(0xC001_0007u, MsrAction.Known, 0ul)]
    [InlineData(0xC001_0015u, MsrAction.Known, 1ul << 24)]
    [InlineData(0xC001_0055u, MsrAction.Known, 0ul)]
    [InlineData(0xC001_1029u, MsrAction.Host, 0ul)]
    [InlineData(0xC001_001Au, MsrAction.Fault, 0ul)]
    [InlineData(0xC001_0114u, MsrAction.Fault, 0ul)]
    [InlineData(0x1A0u, MsrAction.Fault, 0ul)]
    [InlineData(0xCEu, MsrAction.Fault, 0ul)]
    [InlineData(SpecCtrl, MsrAction.Fault, 0ul)]
    public void Reads_on_an_AMD_machine(uint msr, MsrAction expected, ulong expectedValue)
    {
        HostCpuid host = SampleHost.Amd();
        CpuPolicy policy;
        SampleHost.BuildPvMax(host, false, &policy);
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(expected, MsrPolicy.Read(msr, context, out ulong value));
        Assert.Equal(expectedValue, value);
    }

    [Theory]
    [InlineData(0x17u, MsrAction.Host, 0ul)]
    [InlineData(0x3Au, MsrAction.Known, 1ul)]
    [InlineData(0xCEu, MsrAction.Known, 0ul)]
    [InlineData(0x1A0u, MsrAction.Known, 0x0080_1800ul)]
    [InlineData(0x186u, MsrAction.Known, 0ul)]
    [InlineData(0x198u, MsrAction.Known, 0ul)]
    [InlineData(0x38Fu, MsrAction.Known, 0ul)]
    [InlineData(0x606u, MsrAction.Fault, 0ul)]
    [InlineData(0xFEu, MsrAction.Fault, 0ul)]
    [InlineData(0x49u, MsrAction.Fault, 0ul)]
    [InlineData(SpecCtrl, MsrAction.SpecCtrl, 0ul)]
    [InlineData(0xC001_0015u, MsrAction.Fault, 0ul)]
    public void Reads_on_an_Intel_machine(uint msr, MsrAction expected, ulong expectedValue)
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(expected, MsrPolicy.Read(msr, context, out ulong value));
        Assert.Equal(expectedValue, value);
    }

    [Theory]
    [InlineData(0x400u, ulong.MaxValue, MsrAction.Ignore)]
    [InlineData(0x401u, 0ul, MsrAction.Ignore)]
    [InlineData(0x401u, 1ul, MsrAction.Fault)]
    [InlineData(0x17Au, 0ul, MsrAction.Ignore)]
    [InlineData(0x17Au, 4ul, MsrAction.Fault)]
    [InlineData(0x179u, 2ul, MsrAction.Fault)]
    [InlineData(0x1Bu, 0xFEE0_0900ul, MsrAction.Fault)]
    [InlineData(0xC001_0007u, 0xABCDul, MsrAction.Ignore)]
    [InlineData(0xC001_0015u, 0ul, MsrAction.Ignore)]
    [InlineData(0xC001_1029u, 2ul, MsrAction.Ignore)]
    [InlineData(0xC001_0058u, 0ul, MsrAction.Fault)]
    [InlineData(0x4000_0000u, 0x1234_5000ul, MsrAction.HypercallPage)]
    [InlineData(0x4000_0000u, 0x1234_5001ul, MsrAction.Fault)]
    [InlineData(0xC000_0082u, 0ul, MsrAction.Fault)]
    [InlineData(0x1A0u, 0ul, MsrAction.Fault)]
    [InlineData(0x49u, 1ul, MsrAction.PredictionBarrier)]
    [InlineData(0x49u, 0ul, MsrAction.Ignore)]
    [InlineData(0x49u, 2ul, MsrAction.Fault)]
    public void Writes_on_an_AMD_machine(uint msr, ulong value, MsrAction expected)
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(expected, MsrPolicy.Write(msr, value, context));
    }

    [Theory]
    [InlineData(0x8Bu, 0ul, MsrAction.Ignore)]
    [InlineData(0x1A0u, 0x0080_1801ul, MsrAction.Ignore)]
    [InlineData(0x186u, 0x53_00C0ul, MsrAction.Ignore)]
    [InlineData(0xCEu, 0ul, MsrAction.Fault)]
    [InlineData(0x3Au, 1ul, MsrAction.Fault)]
    [InlineData(0x10Au, 0ul, MsrAction.Fault)]
    [InlineData(SpecCtrl, 7ul, MsrAction.SpecCtrl)]
    [InlineData(SpecCtrl, 8ul, MsrAction.Fault)]
    public void Writes_on_an_Intel_machine(uint msr, ulong value, MsrAction expected)
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Intel());
        MsrContext context = new() { Policy = &policy };
        Assert.Equal(expected, MsrPolicy.Write(msr, value, context));
    }

    [Fact]
    public void Speculation_controls_that_are_not_offered_fault()
    {
        HostCpuid host = SampleHost.Intel();
        CpuPolicy policy;
        SampleHost.BuildPvMax(host, false, &policy);
        MsrContext context = new() { Policy = &policy, IsRelaxed = true };
        Assert.Equal(MsrAction.Fault, MsrPolicy.Read(SpecCtrl, context, out _));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(SpecCtrl, 0, context));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(0x49, 1, context));
    }

    [Fact]
    public void ARCH_CAPABILITIES_are_those_of_the_policy()
    {
        CpuPolicy intel = CpuidPolicyTests.Default(SampleHost.Intel());
        CpuPolicy bare = default;
        MsrContext context = new() { Policy = &intel };
        Assert.Equal(MsrAction.Known, MsrPolicy.Read(0x10A, context, out ulong value));
        Assert.Equal(0x4000_0000_1D1A_E177ul, value);
        context.Policy = &bare;
        Assert.Equal(MsrAction.Fault, MsrPolicy.Read(0x10A, context, out _));
    }

    [Fact]
    public void The_owner_of_the_hardware_sees_where_its_memory_ends()
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        MsrContext context = new() { Policy = &policy, HasHardwareAccess = true };
        Assert.Equal(MsrAction.Host, MsrPolicy.Read(0xC001_001A, context, out _));
        Assert.Equal(MsrAction.Host, MsrPolicy.Read(0xC001_0058, context, out _));
        Assert.Equal(MsrAction.Ignore, MsrPolicy.Write(0xC001_0058, 0, context));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(0xC001_001A, 0, context));
    }

    [Fact]
    public void A_relaxed_domain_finds_zero_where_others_fault()
    {
        CpuPolicy policy = CpuidPolicyTests.Default(SampleHost.Amd());
        MsrContext context = new() { Policy = &policy, IsRelaxed = true };
        Assert.Equal(MsrAction.Known, MsrPolicy.Read(0x1234, context, out ulong value));
        Assert.Equal(0ul, value);
        Assert.Equal(MsrAction.Ignore, MsrPolicy.Write(0x1234, 5, context));
        Assert.Equal(MsrAction.Fault, MsrPolicy.Write(Efer, 0, context));
    }
}
