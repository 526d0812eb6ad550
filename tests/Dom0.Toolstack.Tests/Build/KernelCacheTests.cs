// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;
using Dom0.Toolstack.Build;
using Xunit;

namespace Dom0.Toolstack.Tests.Build;

public sealed class KernelCacheTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("xm-cache-").FullName;
    private readonly string _directory;
    private int _unpacked;

    public KernelCacheTests() => _directory = Path.Combine(_parent, "kernels");

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    private byte[] Get(byte content, int size = 100, long limit = 1000, FileVersion? version = null) =>
        new KernelCache(_directory, limit).Get([content], version, () =>
        {
            _unpacked++;
            return Enumerable.Repeat(content, size).ToArray();
        }).ToArray();

    [Fact]
    public void A_kernel_is_unpacked_once_and_named_by_its_hash()
    {
        Assert.Equal(Get(1), Get(1));
        Assert.Equal(1, _unpacked);
        string entry = Assert.Single(Directory.GetFiles(_directory));
        Assert.Equal("4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a.elf", Path.GetFileName(entry));
        Assert.Equal([2, 2, 2], Get(2)[..3]);
        Assert.Equal(2, _unpacked);
    }

    [Fact]
    public void A_version_of_a_file_is_found_without_reading_the_file()
    {
        FileVersion version = new(1, 2, 3, 4, 5, DateTimeOffset.UnixEpoch);
        KernelCache cache = new(_directory, 1000);
        Assert.Null(cache.TryGet(version));
        _ = Get(1, version: version);
        Assert.Equal(100, cache.TryGet(version)!.Value.Length);
        Assert.Null(cache.TryGet(version with { Changed = 6 }));
        File.Delete(Directory.GetFiles(_directory, "*.elf").Single());
        Assert.Null(cache.TryGet(version));
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_version_that_names_a_path_instead_of_a_hash_is_not_followed()
    {
        FileVersion version = new(1, 2, 3, 4, 5, DateTimeOffset.UnixEpoch);
        _ = Get(1, version: version);
        File.WriteAllText(Path.Combine(_parent, "secret.elf"), "secret");
        File.WriteAllText(Directory.GetFiles(_directory, "*.version").Single(), "../secret");
        Assert.Null(new KernelCache(_directory, 1000).TryGet(version));
    }

    [Fact]
    public void A_file_has_another_version_after_each_change()
    {
        string path = Path.Combine(_parent, "file");
        File.WriteAllText(path, "one");
        FileVersion first = VersionOf(path);
        Assert.Equal(first, VersionOf(path));
        Assert.Equal(3, first.Size);
        Assert.False(first.IsSettled(first.ChangedAt.AddSeconds(1)));
        Assert.True(first.IsSettled(first.ChangedAt.AddSeconds(3)));
        System.Threading.Thread.Sleep(20);
        File.WriteAllText(path, "two");
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddTicks(first.Modified / 100));
        Assert.NotEqual(first.Changed, VersionOf(path).Changed);

        static FileVersion VersionOf(string path)
        {
            using FileStream stream = File.OpenRead(path);
            return FileVersion.Of(stream);
        }
    }

    [Fact]
    public void The_directory_is_its_owners_alone()
    {
        _ = Get(1);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute,
            File.GetUnixFileMode(_directory));
    }

    [Fact]
    public void A_directory_that_others_can_enter_is_neither_read_nor_written()
    {
        _ = Get(1);
        File.SetUnixFileMode(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute);
        _ = Get(1);
        _ = Get(2);
        Assert.Equal(3, _unpacked);
        _ = Assert.Single(Directory.GetFiles(_directory));
    }

    [Fact]
    public void The_entry_used_longest_ago_makes_room()
    {
        foreach (byte content in (byte[])[1, 2, 3])
        {
            _ = Get(content, 400, limit: 1300);
            string newest = Directory.GetFiles(_directory).MaxBy(File.GetCreationTimeUtc)!;
            File.SetLastWriteTimeUtc(newest, DateTime.UtcNow.AddMinutes(-60 + content));
        }

        _ = Get(1, 400, limit: 1300);
        Assert.Equal(3, _unpacked);
        _ = Get(4, 400, limit: 1300);
        Assert.Equal(3, Directory.GetFiles(_directory).Length);
        _ = Get(1, 400, limit: 1300);
        _ = Get(3, 400, limit: 1300);
        Assert.Equal(4, _unpacked);
        _ = Get(2, 400, limit: 1300);
        Assert.Equal(5, _unpacked);
    }

    [Fact]
    public void A_kernel_larger_than_the_cache_is_not_kept()
    {
        Assert.Equal(2000, Get(1, 2000).Length);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_place_that_cannot_be_written_costs_nothing_but_time()
    {
        File.WriteAllText(_directory, "a file, not a directory");
        Assert.Equal(100, Get(1).Length);
        Assert.Equal(100, Get(1).Length);
        Assert.Equal(2, _unpacked);
    }
}
