// SPDX-License-Identifier: MIT
//
// Unpacking a distribution's kernel takes most of the time in which a guest is created, and hosts run many guests of
// few kernels. The unpacked file is kept under the SHA-256 of the packed one, so a kernel that is replaced under the
// same name is unpacked anew, and two names of one kernel share an entry. Hashing takes a good part of a second itself,
// so a second kind of entry says which hash a version of a file has; a file that was not touched is then not even read.
//
// The directory is root's alone: whoever could write there could choose what guests run. An entry appears by rename, so
// a reader sees all of it or nothing. The cache is a convenience: whatever goes wrong with it, the kernel is unpacked.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Xen.Images;

namespace Dom0.Toolstack.Build;

/// <summary>Keeps unpacked kernels by the hash of the files that they came from.</summary>
public sealed unsafe class KernelCache
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const string Suffix = ".elf";
    private const string VersionSuffix = ".version";
    private const int VersionLimit = 64;

    private readonly string _directory;
    private readonly long _limit;

    /// <summary>Uses a directory, which is made when needed, for up to <paramref name="limit"/> bytes.</summary>
    public KernelCache(string directory, long limit)
    {
        _directory = directory;
        _limit = limit;
    }

    /// <summary>The cache of this host.</summary>
    public static KernelCache Host => new("/var/cache/xen/kernels", 256L * 1024 * 1024);

    /// <summary>The unpacked form of a version of a file, if the cache has both.</summary>
    public ReadOnlyMemory<byte>? TryGet(FileVersion version)
    {
        string path = Path.Combine(_directory, version + VersionSuffix);
        try
        {
            if (!IsPrivate() || !File.Exists(path))
            {
                return null;
            }

            string hash = File.ReadAllText(path);
            if (hash.Length == 2 * Sha256.DigestSize && hash.All(char.IsAsciiHexDigitLower)
                && TryRead(Path.Combine(_directory, hash + Suffix)) is { } cached)
            {
                return cached;
            }

            File.Delete(path);
        }
        catch (Exception failure) when (IsMissingOrUnusable(failure))
        {
            // As if it were not there.
        }

        return null;
    }

    /// <summary>
    /// The unpacked form of <paramref name="packed"/>, from the cache or else from <paramref name="unpack"/>. With a
    /// <paramref name="version"/>, the next <see cref="TryGet"/> finds it.
    /// </summary>
    public ReadOnlyMemory<byte> Get(byte[] packed, FileVersion? version, Func<ReadOnlyMemory<byte>> unpack)
    {
        string hash = Hash(packed);
        string path = Path.Combine(_directory, hash + Suffix);
        ReadOnlyMemory<byte> unpacked;
        if (TryRead(path) is { } cached)
        {
            unpacked = cached;
        }
        else
        {
            unpacked = unpack();
            TryStore(path, unpacked.Span);
        }

        if (version is { } known)
        {
            TryStore(Path.Combine(_directory, known + VersionSuffix), Encoding.ASCII.GetBytes(hash));
        }

        return unpacked;
    }

    private static string Hash(byte[] data)
    {
        uint* work = stackalloc uint[Sha256.WorkEntries];
        byte* digest = stackalloc byte[Sha256.DigestSize];
        fixed (byte* bytes = data)
        {
            Sha256.Compute(bytes, (nuint)data.Length, work, digest);
        }

        return Convert.ToHexStringLower(new ReadOnlySpan<byte>(digest, Sha256.DigestSize));
    }

    private static bool IsMissingOrUnusable(Exception failure) => failure is IOException or UnauthorizedAccessException;

    private byte[]? TryRead(string path)
    {
        try
        {
            if (!IsPrivate() || !File.Exists(path))
            {
                return null;
            }

            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
            byte[] bytes = GC.AllocateUninitializedArray<byte>(checked((int)stream.Length), pinned: true);
            stream.ReadExactly(bytes);

            // The time of the last use decides what goes first when room is needed.
            File.SetLastWriteTimeUtc(path, DateTime.UtcNow);
            return bytes;
        }
        catch (Exception failure) when (IsMissingOrUnusable(failure) || failure is OverflowException)
        {
            return null;
        }
    }

    private void TryStore(string path, ReadOnlySpan<byte> unpacked)
    {
        string draft = $"{path}.{Environment.ProcessId}";
        try
        {
            _ = Directory.CreateDirectory(_directory, OwnerOnly);
            if (!IsPrivate() || unpacked.Length > _limit)
            {
                return;
            }

            MakeRoom(unpacked.Length);
            using (FileStream stream = new(draft, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1))
            {
                stream.Write(unpacked);
            }

            File.Move(draft, path, overwrite: true);
        }
        catch (Exception failure) when (IsMissingOrUnusable(failure))
        {
            TryDelete(draft);
        }
    }

    /// <summary>Is the directory a real one that its owner alone can enter?</summary>
    private bool IsPrivate() =>
        new DirectoryInfo(_directory) is { Exists: true, LinkTarget: null } directory
        && (directory.UnixFileMode & ~OwnerOnly) == 0;

    private void MakeRoom(long needed)
    {
        List<FileInfo> entries =
            [.. new DirectoryInfo(_directory).EnumerateFiles().OrderBy(entry => entry.LastWriteTimeUtc)];
        FileInfo[] versions = [.. entries.Where(entry => entry.Name.EndsWith(VersionSuffix, StringComparison.Ordinal))];
        foreach (FileInfo version in versions.Take(versions.Length - VersionLimit))
        {
            version.Delete();
        }

        long used = entries.Sum(entry => entry.Length);
        foreach (FileInfo entry in entries.Except(versions))
        {
            if (used + needed <= _limit)
            {
                return;
            }

            used -= entry.Length;
            entry.Delete();
        }
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception failure) when (IsMissingOrUnusable(failure))
        {
            // A draft that stays is old one day, and goes when room is needed.
        }
    }
}
