// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Boot;
using Xunit;

namespace Hypervisor.Core.Tests.Boot;

public sealed class MemoryMapTakingTests
{
    private const ulong Anywhere = ulong.MaxValue;

    private static MemoryMap Map(params (ulong Start, ulong End, uint Type)[] regions)
    {
        MemoryMap map = default;
        foreach ((ulong start, ulong end, uint type) in regions)
        {
            Assert.True(map.TryAdd(start, end - start, type));
        }

        Assert.Equal(BootError.Ok, map.Normalise());
        return map;
    }

    [Fact]
    public void The_highest_memory_that_fits_is_taken_from_its_top()
    {
        MemoryMap map = Map((0x100000, 0x800000, 1), (0x1_0000_0000, 0x1_0040_0000, 1), (0x2_0000_0000, 0x2_0000_1000, 1));

        Assert.True(map.TryTake(0x1800, 0x1000, Anywhere, out ulong start));
        Assert.Equal(0x1_003F_E000UL, start);
        Assert.True(map.TryTake(1, 0x1000, Anywhere, out start));
        Assert.Equal(0x2_0000_0000UL, start);
        Assert.Equal(0x700000UL + 0x3FE000UL, map.TotalRam);
    }

    [Fact]
    public void A_limit_inside_a_region_leaves_what_is_above()
    {
        MemoryMap map = Map((0x100000, 0x2_0000_0000, 1));

        Assert.True(map.TryTake(0x200000, 0x200000, 1UL << 32, out ulong start));
        Assert.Equal(0xFFE0_0000UL, start);
        Assert.True(map.IsAll(0x1_0000_0000, 0x2_0000_0000, MemoryType.Ram));
        Assert.False(map.HasRam(0xFFE0_0000, 0x1_0000_0000));
    }

    [Theory]
    [InlineData(0x200000UL, 0x200000UL)] // there are two MiB, but not aligned
    [InlineData(0x400000UL, 0x1000UL)]
    [InlineData(ulong.MaxValue, 0x1000UL)]
    [InlineData(ulong.MaxValue - 0x1000, 0x1000UL)]
    public void What_does_not_fit_changes_nothing(ulong bytes, ulong alignment)
    {
        MemoryMap map = Map((0x101000, 0x3FF000, 1), (0x400000, 0x10000000, 2));

        Assert.False(map.TryTake(bytes, alignment, Anywhere, out _));
        Assert.Equal(0x2FE000UL, map.TotalRam);
    }

    [Fact]
    public void A_full_map_is_cut_where_that_needs_no_further_entry()
    {
        MemoryMap map = default;
        for (ulong i = 0; i < MemoryMap.Capacity; i++)
        {
            Assert.True(map.TryAdd(i * 0x10000, 0x8000, 1));
        }

        Assert.Equal(BootError.Ok, map.Normalise());

        // The top of the last region is unaligned: its middle cannot be had, and it is alike in all others.
        Assert.False(map.TryTake(0x1000, 0x4000, Anywhere, out _) && map.Count > MemoryMap.Capacity);
        Assert.True(map.TryTake(0x1000, 0x1000, Anywhere, out ulong start));
        Assert.Equal(((ulong)(MemoryMap.Capacity - 1) * 0x10000) + 0x7000, start);
    }

    [Fact]
    public void Stretches_are_walked_from_end_to_end()
    {
        MemoryMap map = Map((0x1000, 0x3000, 1), (0x3000, 0x5000, 2), (0x8000, 0x9000, 1));

        Assert.False(map.IsRam(0, out ulong end));
        Assert.Equal(0x1000UL, end);
        Assert.True(map.IsRam(0x2000, out end));
        Assert.Equal(0x3000UL, end);
        Assert.False(map.IsRam(0x3000, out end));
        Assert.Equal(0x8000UL, end);
        Assert.False(map.IsRam(0x9000, out end));
        Assert.Equal(ulong.MaxValue, end);
    }

    [Fact]
    public void Nothing_is_taken_twice()
    {
        Random random = new(11);
        for (int round = 0; round < 200; round++)
        {
            MemoryMap map = default;
            bool[] ram = new bool[512];
            for (int i = 0; i < random.Next(1, 12); i++)
            {
                int start = random.Next(512);
                int length = random.Next(1, 513 - start);
                bool isRam = random.Next(3) != 0;
                Assert.True(map.TryAdd((ulong)start << 12, (ulong)length << 12, isRam ? 1u : 2u));
            }

            Assert.Equal(BootError.Ok, map.Normalise());
            for (int page = 0; page < 512; page++)
            {
                ram[page] = map.HasRam((ulong)page << 12, (ulong)(page + 1) << 12);
            }

            for (int i = 0; i < 40; i++)
            {
                int pages = random.Next(1, 20);
                int shift = random.Next(0, 5);
                int limit = random.Next(1, 600);
                bool taken = map.TryTake(
                    (ulong)pages << 12, 1UL << (12 + shift), (ulong)limit << 12, out ulong address);
                int first = (int)(address >> 12);
                Assert.True(!taken || (first % (1 << shift) == 0 && first + pages <= limit));
                for (int page = first; taken && page < first + pages; page++)
                {
                    Assert.True(ram[page]);
                    ram[page] = false;
                }

                for (int start = 0; !taken && start + pages <= Math.Min(limit, 512); start += 1 << shift)
                {
                    Assert.Contains(false, ram[start..(start + pages)]);
                }
            }

            for (int page = 0; page < 512; page++)
            {
                Assert.Equal(ram[page], map.HasRam((ulong)page << 12, (ulong)(page + 1) << 12));
            }
        }
    }
}
