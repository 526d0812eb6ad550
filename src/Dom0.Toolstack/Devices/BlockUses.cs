// SPDX-License-Identifier: MIT
//
// What shares its bytes with a disk, and what Domain-0 does with them itself. A disk and its partitions share bytes, two
// partitions of one disk do not; a file and the loop devices over it do. Domain-0 uses a block device when it has it mounted, swaps to it,
// or has built another device of it (device mapper, RAID), whose uses are then this one's too.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Dom0.Toolstack.Devices;

/// <summary>A use that Domain-0 itself makes of a disk.</summary>
/// <param name="What">As the end of the sentence "it is …".</param>
/// <param name="Remedy">How to end it.</param>
/// <param name="IsWritten">May what is on the disk change?</param>
public sealed record HostUse(string What, string Remedy, bool IsWritten);

/// <summary>Reads sysfs and proc below a root; <paramref name="identify"/> says what a path of Domain-0 leads to.</summary>
internal sealed class BlockUses(string root, Func<string, HostFile> identify)
{
    private const int MountNumber = 2;
    private const int MountPoint = 4;
    private const int MountSource = 2;
    private const int MountOptions = 3;

    /// <summary>Block devices that share bytes with a disk, itself among them.</summary>
    public IReadOnlySet<BlockNumber> Overlaps(HostFile file)
    {
        HashSet<BlockNumber> found = [];
        foreach (BlockNumber start in file.Block is { } block ? [block] : LoopsOver(file))
        {
            _ = found.Add(start);
            string? folder = FolderOf(start);
            if (folder is null)
            {
                continue;
            }

            if (File.Exists(Path.Combine(folder, "partition")))
            {
                Add(found, Path.GetDirectoryName(folder)!);
                continue;
            }

            foreach (string partition in Directory.EnumerateDirectories(folder)
                .Where(name => File.Exists(Path.Combine(name, "partition"))))
            {
                Add(found, partition);
            }
        }

        return found;
    }

    /// <summary>What Domain-0 does with a disk; null when nothing. A use that writes comes before one that does not.</summary>
    public HostUse? Find(HostFile file)
    {
        List<HostUse> uses = [];
        if (file.File is not null && Swaps().Any(path => Is(path, file)))
        {
            uses.Add(Swap());
        }

        HashSet<BlockNumber> devices = [];
        Queue<BlockNumber> next = new(Overlaps(file));
        while (next.TryDequeue(out BlockNumber device))
        {
            if (!devices.Add(device) || FolderOf(device) is not { } folder)
            {
                continue;
            }

            string holders = Path.Combine(folder, "holders");
            foreach (string holder in Directory.Exists(holders) ? Directory.EnumerateFileSystemEntries(holders) : [])
            {
                string name = Path.GetFileName(holder);
                uses.Add(new HostUse($"part of /dev/{name}", $"Give the guest /dev/{name} instead, or take that apart", false));
                if (NumberIn(Path.Combine(root, "sys/class/block", name)) is { } number)
                {
                    next.Enqueue(number);
                }
            }
        }

        uses.AddRange(Swaps().Where(path => IdentifyOrNone(path).Block is { } block && devices.Contains(block)).Select(_ => Swap()));
        uses.AddRange(Mounts(devices));
        return uses.OrderByDescending(use => use.IsWritten).FirstOrDefault();
    }

    private static HostUse Swap() => new("Domain-0's swap space", "End that first (swapoff)", true);

    private IEnumerable<HostUse> Mounts(HashSet<BlockNumber> devices)
    {
        // ID, parent, MAJOR:MINOR, root, mount point, its options, more …, "-", type, source, options of the file system.
        foreach (string[] words in Lines("proc/self/mountinfo").Select(line => line.Split(' ')))
        {
            int dash = Array.IndexOf(words, "-");
            if (dash > MountPoint && words.Length > dash + MountOptions
                && ((Parse(words[MountNumber]) is { } number && devices.Contains(number))
                    || (words[dash + MountSource].StartsWith("/dev/", StringComparison.Ordinal)
                        && IdentifyOrNone(words[dash + MountSource]).Block is { } source && devices.Contains(source))))
            {
                string place = words[MountPoint];
                bool isWritten = !words[dash + MountOptions].Split(',').Contains("ro");
                yield return new HostUse($"mounted in Domain-0 at {place}", $"Unmount it first (umount {place})", isWritten);
            }
        }
    }

    private IEnumerable<string> Swaps() => Lines("proc/swaps").Skip(1).Select(line => line.Split(' ', '\t')[0]);

    private bool Is(string path, HostFile file) => IdentifyOrNone(path).File == file.File;

    private HostFile IdentifyOrNone(string path)
    {
        try
        {
            return identify(path);
        }
        catch (ToolstackException)
        {
            // Sources of mounts may be anything, and files may be gone by now.
            return default;
        }
    }

    private IEnumerable<BlockNumber> LoopsOver(HostFile file)
    {
        string all = Path.Combine(root, "sys/block");
        foreach (string loop in Directory.Exists(all) ? Directory.EnumerateFileSystemEntries(all, "loop*") : [])
        {
            if (FirstLine(Path.Combine(loop, "loop/backing_file")) is { } backing && file.File is not null
                && IdentifyOrNone(backing).File == file.File && NumberIn(loop) is { } number)
            {
                yield return number;
            }
        }
    }

    private void Add(HashSet<BlockNumber> found, string folder)
    {
        if (NumberIn(folder) is { } number)
        {
            _ = found.Add(number);
        }
    }

    private static BlockNumber? NumberIn(string folder) => Parse(FirstLine(Path.Combine(folder, "dev")) ?? "");

    private string? FolderOf(BlockNumber device)
    {
        string link = Path.Combine(root, "sys/dev/block", $"{device.Major}:{device.Minor}");
        return Directory.Exists(link) ? new DirectoryInfo(link).ResolveLinkTarget(true)?.FullName ?? link : null;
    }

    private static BlockNumber? Parse(string text)
    {
        string[] parts = text.Split(':');
        return parts.Length == 2 && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out uint major)
            && uint.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint minor)
                ? new BlockNumber(major, minor)
                : null;
    }

    private IEnumerable<string> Lines(string path)
    {
        string full = Path.Combine(root, path);
        return File.Exists(full) ? File.ReadLines(full) : [];
    }

    private static string? FirstLine(string path)
    {
        try
        {
            return File.ReadLines(path).FirstOrDefault();
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            // A loop device without a file has none.
            return null;
        }
    }
}
