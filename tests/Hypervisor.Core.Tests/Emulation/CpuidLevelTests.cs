// SPDX-License-Identifier: MIT
using System.Text;
using Hypervisor.Core.Emulation;
using Xen.Abi;
using Xunit;

namespace Hypervisor.Core.Tests.Emulation;

public unsafe class CpuidLevelTests
{
    private const ulong EverythingInCr4 = Cr4.FsGsBase | Cr4.Smep | Cr4.Smap | Cr4.OsXsave;

    [Fact]
    public void Guests_see_what_all_CPUs_have()
    {
        CpuPolicy machine = Raw(SampleHost.Intel());
        CpuPolicy other = machine;
        Take(&other, 7, 1, 1u << 5); // AVX2
        Take(&other, 1, 2, 1u << 30); // RDRAND
        Assert.True(CpuidPolicy.Has(&machine, CpuFeature.Avx2));
        CpuidPolicy.Level(&machine, &other);
        Assert.False(CpuidPolicy.Has(&machine, CpuFeature.Avx2));
        Assert.False(CpuidPolicy.Has(&machine, CpuFeature.Rdrand));
        Assert.True(CpuidPolicy.Has(&machine, CpuFeature.Avx));

        CpuPolicy max;
        CpuidPolicy.BuildPvMax(&machine, false, &max);
        Assert.False(CpuidPolicy.Has(&max, CpuFeature.Avx2));
        Assert.False(CpuidPolicy.Has(&max, CpuFeature.Avx512f)); // cannot be without
    }

    [Fact]
    public void A_CPU_with_more_than_the_others_changes_nothing()
    {
        CpuPolicy more = Raw(SampleHost.Intel());
        CpuPolicy machine = more;
        Take(&machine, 7, 1, 1u << 5);
        CpuPolicy before = machine;
        Take(&more, 1, 2, 1u << 27); // OSXSAVE: its CR4 is not set yet
        CpuidPolicy.Level(&machine, &more);
        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            Assert.Equal(CpuidPolicy.FeatureWord(&before, word), CpuidPolicy.FeatureWord(&machine, word));
        }
    }

    [Fact]
    public void A_warning_of_one_CPU_is_a_warning_of_the_machine()
    {
        CpuPolicy machine = Raw(SampleHost.Intel());
        CpuPolicy warned = machine;
        machine.ArchCapabilities = 1; // RDCL_NO
        warned.ArchCapabilities = 1 << 2; // RSBA
        Take(&machine, 7, 1, 1u << 13); // NO_FPU_SEL
        CpuidPolicy.Level(&machine, &warned);
        Assert.Equal(1ul << 2, machine.ArchCapabilities);
        Assert.True(CpuidPolicy.Has(&machine, CpuFeature.NoFpuSel));
    }

    [Fact]
    public void Leaves_end_where_the_first_CPU_runs_out_of_them()
    {
        CpuPolicy machine = Raw(SampleHost.Intel());
        CpuPolicy other = machine;
        CpuPolicy.At(&other, 0)->A = 6;
        CpuidPolicy.Level(&machine, &other);
        Assert.Equal(6u, CpuPolicy.At(&machine, 0)->A);
        Assert.False(CpuidPolicy.Has(&machine, CpuFeature.Avx2));
        Assert.Equal(0u, CpuPolicy.At(&machine, CpuPolicy.ExtendedStateSlot)->A);
    }

    [Theory]
    [InlineData(0x8000_0001u, 3, 20, "no-execute pages (NX)")]
    [InlineData(0x8000_0001u, 3, 26, "pages of 1 GiB")]
    [InlineData(0x8000_0001u, 3, 27, "RDTSCP")]
    [InlineData(7u, 1, 0, "FSGSBASE")]
    [InlineData(7u, 1, 7, "SMEP")]
    [InlineData(7u, 1, 20, "SMAP")]
    [InlineData(1u, 2, 26, "XSAVE")]
    [InlineData(1u, 2, 21, "x2APIC mode")]
    [InlineData(1u, 2, 24, "the TSC deadline timer")]
    [InlineData(0xDu, 0, 2, "the others' extended state, component by component")]
    [InlineData(0x8000_0008u, 0, 2, "as many physical address bits")]
    [InlineData(0u, 1, 0, "the vendor of the others")]
    [InlineData(7u, 1, 5, "")] // AVX2: the hypervisor has no use for it
    public void A_CPU_that_lacks_what_is_in_use_is_told_apart(uint leaf, int register, int bit, string lack)
    {
        CpuPolicy machine = Raw(SampleHost.Intel());
        CpuPolicy other = machine;
        Assert.True(CpuidPolicy.FindLack(&machine, &other, EverythingInCr4, 0xE7, true, true).IsEmpty);
        if (leaf == 0)
        {
            CpuPolicy.At(&other, 0)->B ^= 1;
        }
        else
        {
            Take(&other, leaf, register, 1u << bit);
        }

        Assert.Equal(lack, Encoding.UTF8.GetString(
            CpuidPolicy.FindLack(&machine, &other, EverythingInCr4, 0xE7, true, true)));
    }

    [Fact]
    public void What_is_not_in_use_may_be_missing()
    {
        CpuPolicy machine = Raw(SampleHost.Intel());
        CpuPolicy other = machine;
        Take(&other, 7, 1, (1u << 20) | (1u << 7));
        Take(&other, 1, 2, (1u << 21) | (1u << 24));
        Assert.True(CpuidPolicy.FindLack(&machine, &other, Cr4.OsXsave, 3, false, false).IsEmpty);
    }

    [Fact]
    public void A_component_at_another_place_is_a_lack()
    {
        CpuPolicy machine = Raw(SampleHost.Intel());
        CpuPolicy other = machine;
        CpuPolicy.At(&other, CpuPolicy.ExtendedStateSlot + 5)->B += 64;
        Assert.False(CpuidPolicy.FindLack(&machine, &other, Cr4.OsXsave, 0xE7, false, false).IsEmpty);
        Assert.True(CpuidPolicy.FindLack(&machine, &other, Cr4.OsXsave, 7, false, false).IsEmpty);
    }

    private static CpuPolicy Raw(HostCpuid host)
    {
        CpuPolicy policy;
        CpuidPolicy.BuildHost(&host, &policy);
        return policy;
    }

    private static void Take(CpuPolicy* policy, uint leaf, int register, uint bits) =>
        ((uint*)CpuPolicy.At(policy, CpuPolicy.SlotOf(leaf, 0)))[register] &= ~bits;
}
