// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using Hypervisor.Core.Boot;
using Xunit;

namespace Hypervisor.Core.Tests.Boot;

public sealed class MemoryMapTests
{
    private static MemoryMap Map(params (ulong Start, ulong End, uint Type)[] regions)
    {
        MemoryMap map = default;
        foreach ((ulong start, ulong end, uint type) in regions)
        {
            Assert.True(map.TryAdd(start, end - start, type));
        }

        return map;
    }

    private static void Expect(in MemoryMap map, params (ulong Start, ulong End, MemoryType Type)[] expected)
    {
        List<(ulong, ulong, MemoryType)> found = [];
        for (int i = 0; i < map.Count; i++)
        {
            found.Add((map[i].Base, map[i].End, map[i].Type));
        }

        Assert.Equal(expected, found);
    }

    [Fact]
    public void Entries_are_sorted_and_equal_neighbours_merged()
    {
        MemoryMap map = Map((0x200000, 0x300000, 1), (0xF0000, 0x100000, 2), (0, 0x9F000, 1), (0x100000, 0x200000, 1));

        Assert.Equal(BootError.Ok, map.Normalise());

        Expect(
            map,
            (0, 0x9F000, MemoryType.Ram),
            (0xF0000, 0x100000, MemoryType.Reserved),
            (0x100000, 0x300000, MemoryType.Ram));
        Assert.Equal(0x29F000UL, map.TotalRam);
        Assert.Equal(0x300000UL, map.EndOfRam);
    }

    [Fact]
    public void Where_entries_overlap_the_most_restrictive_type_wins()
    {
        MemoryMap map = Map(
            (0, 0x10000, 1), (0x2000, 0x4000, 3), (0x3000, 0x6000, 2), (0x5000, 0x7000, 5), (0, 0x10000, 1));

        Assert.Equal(BootError.Ok, map.Normalise());

        Expect(
            map,
            (0, 0x2000, MemoryType.Ram),
            (0x2000, 0x3000, MemoryType.AcpiReclaimable),
            (0x3000, 0x5000, MemoryType.Reserved),
            (0x5000, 0x7000, MemoryType.Unusable),
            (0x7000, 0x10000, MemoryType.Ram));
    }

    [Fact]
    public void Ram_shrinks_to_whole_pages_and_reserved_memory_does_not()
    {
        MemoryMap map = Map((0, 0x9FC00, 1), (0x9FC00, 0xA0000, 2), (0x100001, 0x101FFF, 1), (0x200001, 0x202001, 1));

        Assert.Equal(BootError.Ok, map.Normalise());

        Expect(
            map,
            (0, 0x9F000, MemoryType.Ram),
            (0x9FC00, 0xA0000, MemoryType.Reserved),
            (0x201000, 0x202000, MemoryType.Ram));
    }

    [Fact]
    public void A_region_that_wraps_ends_at_the_top()
    {
        MemoryMap map = default;
        Assert.True(map.TryAdd(0xFFFF_FFFF_FFFF_0000, 0x20000, 2));
        Assert.True(map.TryAdd(ulong.MaxValue, 5, 1));
        Assert.True(map.TryAdd(0x1000, 0, 1));

        Assert.Equal(BootError.Ok, map.Normalise());

        Expect(map, (0xFFFF_FFFF_FFFF_0000, ulong.MaxValue, MemoryType.Reserved));
    }

    [Fact]
    public void Reserving_splits_trims_and_removes()
    {
        MemoryMap map = Map((0, 0xA0000, 1), (0x100000, 0x400000, 1), (0x400000, 0x500000, 2), (0x500000, 0x600000, 1));
        Assert.Equal(BootError.Ok, map.Normalise());

        Assert.Equal(BootError.Ok, map.Reserve(0, 0x100000));
        Assert.Equal(BootError.Ok, map.Reserve(0x200800, 0x201001));
        Assert.Equal(BootError.Ok, map.Reserve(0x3FF000, 0x501000));
        Assert.Equal(BootError.Ok, map.Reserve(0x1000000, 0x2000000));
        Assert.Equal(BootError.Ok, map.Reserve(0x5FFFFF, 0x5FFFFF));

        Expect(
            map,
            (0x100000, 0x200000, MemoryType.Ram),
            (0x202000, 0x3FF000, MemoryType.Ram),
            (0x400000, 0x500000, MemoryType.Reserved),
            (0x501000, 0x5FF000, MemoryType.Ram));
    }

    [Fact]
    public void A_limit_cuts_ram_and_nothing_else()
    {
        MemoryMap map = Map((0, 0x100000, 1), (0x200000, 0x300000, 2), (0x300000, 0x400000, 1));
        Assert.Equal(BootError.Ok, map.Normalise());

        map.LimitRam(0x80FFF);

        Expect(map, (0, 0x80000, MemoryType.Ram), (0x200000, 0x300000, MemoryType.Reserved));
    }

    [Fact]
    public void A_range_is_found_to_be_all_ram_or_not()
    {
        MemoryMap map = Map((0, 0x100000, 1), (0x200000, 0x300000, 1));
        Assert.Equal(BootError.Ok, map.Normalise());

        Assert.True(map.IsAll(0x1000, 0x100000, MemoryType.Ram));
        Assert.False(map.IsAll(0x1000, 0x100001, MemoryType.Ram));
        Assert.False(map.IsAll(0x80000, 0x280000, MemoryType.Ram));
    }

    [Fact]
    public void The_1025th_entry_does_not_fit()
    {
        MemoryMap map = default;
        for (ulong i = 0; i < MemoryMap.Capacity; i++)
        {
            Assert.True(map.TryAdd(i * 0x10000, 0x1000, 1));
        }

        Assert.False(map.TryAdd(0xFFFF0000, 0x1000, 1));
        Assert.Equal(BootError.Ok, map.Normalise());
        Assert.Equal(BootError.MemoryMapTooFragmented, SplitOnce(ref map));
    }

    private static BootError SplitOnce(ref MemoryMap map)
    {
        const ulong Start = (MemoryMap.Capacity - 2) * 0x10000;
        map.LimitRam(Start);
        Assert.True(map.TryAdd(Start, 0x3000, 1));
        Assert.True(map.TryAdd(Start + 0x10000, 0x1000, 1));
        return map.Reserve(Start + 0x1000, Start + 0x2000);
    }

    [Fact]
    public void Random_maps_agree_with_a_page_by_page_model()
    {
        Random random = new(20);
        int[] rank = [-1, 0, 3, 1, 2, 4];
        for (int round = 0; round < 300; round++)
        {
            MemoryMap map = default;
            uint[] model = new uint[128];
            for (int i = 0; i < random.Next(1, 24); i++)
            {
                int start = random.Next(128);
                int end = random.Next(start, 129);
                uint type = (uint)random.Next(1, 6);
                Assert.True(map.TryAdd((ulong)start << 12, (ulong)(end - start) << 12, type));
                for (int page = start; page < end; page++)
                {
                    model[page] = rank[type] > rank[model[page]] ? type : model[page];
                }
            }

            Assert.Equal(BootError.Ok, map.Normalise());

            uint[] found = new uint[128];
            ulong previousEnd = 0;
            for (int i = 0; i < map.Count; i++)
            {
                Assert.True(map[i].Base >= previousEnd);
                previousEnd = map[i].End;
                for (ulong page = map[i].Base >> 12; page < map[i].End >> 12; page++)
                {
                    found[page] = (uint)map[i].Type;
                }
            }

            Assert.Equal(model, found);
        }
    }
}
