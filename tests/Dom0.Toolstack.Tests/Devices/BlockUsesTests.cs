// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Dom0.Toolstack.Devices;
using Xunit;

namespace Dom0.Toolstack.Tests.Devices;

/// <summary>A Domain-0 with a disk of two partitions, one of which is a part of a logical volume, and a loop device over a file.</summary>
public sealed class BlockUsesTests : IDisposable
{
    private static readonly BlockNumber s_whole = new(8, 0);
    private static readonly BlockNumber s_first = new(8, 1);
    private static readonly BlockNumber s_second = new(8, 2);
    private static readonly BlockNumber s_volume = new(254, 0);
    private static readonly BlockNumber s_loop = new(7, 3);
    private static readonly HostFile s_image = new(null, (1, 99));

    private readonly string _root = Directory.CreateTempSubdirectory("sysfs-").FullName;
    private readonly Dictionary<string, HostFile> _files = new()
    {
        ["/dev/sda"] = new HostFile(s_whole, null),
        ["/dev/sda1"] = new HostFile(s_first, null),
        ["/dev/sda2"] = new HostFile(s_second, null),
        ["/dev/dm-0"] = new HostFile(s_volume, null),
        ["/srv/image"] = s_image,
    };

    public BlockUsesTests()
    {
        Device("sys/devices/sda", s_whole);
        Device("sys/devices/sda/sda1", s_first, "partition");
        Device("sys/devices/sda/sda2", s_second, "partition");
        Device("sys/devices/dm-0", s_volume);
        Device("sys/devices/loop3", s_loop);
        Put("sys/devices/sda/sda2/holders/dm-0", "");
        _ = Directory.CreateDirectory(Path.Combine(_root, "sys/class/block"));
        _ = Directory.CreateSymbolicLink(Path.Combine(_root, "sys/class/block/dm-0"), Path.Combine(_root, "sys/devices/dm-0"));
        _ = Directory.CreateDirectory(Path.Combine(_root, "sys/block"));
        _ = Directory.CreateSymbolicLink(Path.Combine(_root, "sys/block/loop3"), Path.Combine(_root, "sys/devices/loop3"));
        Put("sys/devices/loop3/loop/backing_file", "/srv/image\n");
        Put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n");
        Put("proc/self/mountinfo", "22 1 0:20 / /proc rw - proc proc rw\n");
    }

    private BlockUses Uses => new(_root, path => _files.TryGetValue(path, out HostFile file)
        ? file
        : throw new ToolstackException($"cannot open {path}"));

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private void Put(string path, string text)
    {
        string full = Path.Combine(_root, path);
        _ = Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    private void Device(string path, BlockNumber number, string? mark = null)
    {
        Put($"{path}/dev", $"{number.Major}:{number.Minor}\n");
        if (mark is not null)
        {
            Put($"{path}/{mark}", "1\n");
        }

        _ = Directory.CreateDirectory(Path.Combine(_root, "sys/dev/block"));
        _ = Directory.CreateSymbolicLink(
            Path.Combine(_root, $"sys/dev/block/{number.Major}:{number.Minor}"), Path.Combine(_root, path));
    }

    private void Mount(string line) => Put("proc/self/mountinfo", $"22 1 0:20 / /proc rw - proc proc rw\n{line}\n");

    private static HostFile Of(BlockNumber number) => new(number, null);

    private static BlockNumber[] Sorted(IEnumerable<BlockNumber> numbers) =>
        [.. numbers.OrderBy(number => number.Major).ThenBy(number => number.Minor)];

    [Fact]
    public void A_disk_shares_its_bytes_with_its_partitions_and_they_with_it_alone()
    {
        Assert.Equal([s_whole, s_first, s_second], Sorted(Uses.Overlaps(Of(s_whole))));
        Assert.Equal([s_whole, s_first], Sorted(Uses.Overlaps(Of(s_first))));
        Assert.Equal([s_loop], Sorted(Uses.Overlaps(s_image)));
        Assert.Empty(Uses.Overlaps(new HostFile(null, (1, 98))));
    }

    [Fact]
    public void What_is_mounted_is_found_from_the_disk_and_the_partition()
    {
        Mount(@"30 1 8:1 / /srv/my\040data rw,relatime shared:1 - ext4 /dev/sda1 rw");
        HostUse expected = new(@"mounted in Domain-0 at /srv/my\040data", @"Unmount it first (umount /srv/my\040data)", true);
        Assert.Equal(expected, Uses.Find(Of(s_first)));
        Assert.Equal(expected, Uses.Find(Of(s_whole)));
        Assert.Equal("part of /dev/dm-0", Uses.Find(Of(s_second))!.What);
    }

    [Fact]
    public void A_file_system_that_is_only_read_is_not_written()
    {
        Mount("30 1 8:1 / /mnt ro,relatime - ext4 /dev/sda1 ro,errors=continue");
        Assert.False(Uses.Find(Of(s_first))!.IsWritten);

        // Another mount of it may be.
        Mount("30 1 8:1 / /mnt ro,relatime - ext4 /dev/sda1 rw");
        Assert.True(Uses.Find(Of(s_first))!.IsWritten);
    }

    [Fact]
    public void A_file_system_with_a_number_of_its_own_is_known_by_its_source()
    {
        Mount("30 1 0:45 / /pool rw - btrfs /dev/sda1 rw,space_cache");
        Assert.Equal("mounted in Domain-0 at /pool", Uses.Find(Of(s_first))!.What);
    }

    [Fact]
    public void What_lies_on_a_volume_counts_for_what_the_volume_is_made_of()
    {
        HostUse? part = Uses.Find(Of(s_second));
        Assert.Equal(new HostUse("part of /dev/dm-0", "Give the guest /dev/dm-0 instead, or take that apart", false), part);
        Mount("30 1 254:0 / / rw - ext4 /dev/mapper/root rw");
        Assert.Equal("mounted in Domain-0 at /", Uses.Find(Of(s_second))!.What);
        Assert.Equal("mounted in Domain-0 at /", Uses.Find(Of(s_whole))!.What);
        Assert.Null(Uses.Find(Of(s_first)));
    }

    [Fact]
    public void Swap_space_is_used_be_it_a_device_or_a_file()
    {
        Put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/sda1   partition\t1\t0\t-2\n/srv/image file\t1\t0\t-3\n");
        Assert.Equal("Domain-0's swap space", Uses.Find(Of(s_whole))!.What);
        Assert.Equal("Domain-0's swap space", Uses.Find(s_image)!.What);
        Assert.Null(Uses.Find(Of(s_volume)));
    }

    [Fact]
    public void A_file_is_used_when_a_loop_device_over_it_is()
    {
        Assert.Null(Uses.Find(s_image));
        Mount("30 1 7:3 / /mnt rw - ext4 /dev/loop3 rw");
        Assert.Equal("mounted in Domain-0 at /mnt", Uses.Find(s_image)!.What);
    }
}
