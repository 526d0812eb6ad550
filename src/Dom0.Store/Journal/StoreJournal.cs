// SPDX-License-Identifier: MIT
//
// The state on file. state-N begins with a snapshot; behind it stands a frame for each request that changed something,
// written before the request's answer leaves. The page cache outlives the process, so a write is enough: nothing waits
// for a disk, and the folder belongs on a file system that does not outlive the kernel (/run).
//
// A frame is its length, its CRC-32C, and records. What is cut off or damaged ends the reading: it was never answered.
// When the frames behind the snapshot outweigh it, a new file is written beside and renamed; the name appears when the
// file is complete.
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Numerics;

namespace Dom0.Store.Journal;

/// <summary>Keeps a <see cref="StoreState"/> on file.</summary>
public sealed class StoreJournal : IDisposable
{
    private const string Prefix = "state-";
    private const int FrameHead = 8;
    private const int LeastJournal = 1 << 20;
    private const int RetryMilliseconds = 1000;

    private readonly string _folder;
    private readonly StoreState _state;
    private FileStream? _file;
    private ulong _number;
    private long _snapshotLength;
    private long _retryAt;

    private StoreJournal(string folder, StoreState state)
    {
        _folder = folder;
        _state = state;
    }

    /// <summary>First bytes of a file: what it is, and of which run of the kernel.</summary>
    private static byte[] FileHead => [.. "XSTORE1\n"u8, .. BootIdentity()];

    /// <summary>Is everything on file that was answered? False while the folder takes no more.</summary>
    public bool IsSound => _file is not null;

    /// <summary>Length of the current file.</summary>
    public long Length => _file?.Length ?? 0;

    /// <summary>The current file.</summary>
    public string? FileName => _file is null ? null : Name(_number);

    /// <summary>
    /// Fills an empty state from the folder's newest file, if there is one of this run of the kernel, and goes on from
    /// there in a new file.
    /// </summary>
    /// <returns>The journal, and whether anything was found.</returns>
    public static (StoreJournal Journal, bool IsRecovered) Open(string folder, StoreState state)
    {
        _ = Directory.CreateDirectory(folder);
        StoreJournal journal = new(folder, state);
        bool isRecovered = false;
        foreach ((ulong number, string path) in journal.Files())
        {
            journal._number = Math.Max(journal._number, number);
            if (!isRecovered)
            {
                isRecovered = ReadFile(path, state);
            }
        }

        return (journal, isRecovered);
    }

    /// <summary>Writes what happened since the last time; it lasts when this returns.</summary>
    public void Commit()
    {
        if (_state.Records.Count == 0)
        {
            return;
        }

        if (_file is null || _file.Length > Math.Max(LeastJournal, 3 * _snapshotLength))
        {
            // The snapshot holds what the records say.
            Compact();
        }
        else
        {
            try
            {
                WriteFrame(_file, _state.Records.Bytes);
            }
            catch (IOException fault)
            {
                // Half a frame may stand there: nothing can follow it.
                Suspend(fault);
                Compact();
            }
        }

        _state.Records.Clear();
    }

    /// <summary>Writes a new file with a snapshot, and removes the old ones.</summary>
    public void Compact()
    {
        if (_file is null && Environment.TickCount64 < _retryAt)
        {
            return;
        }

        string draft = Path.Combine(_folder, "draft");
        try
        {
            FileStream file = new(draft, FileMode.Create, FileAccess.Write, FileShare.Read, 0);
            try
            {
                file.Write(FileHead);
                _state.WriteSnapshot(records => WriteFrame(file, records.Bytes));
                File.Move(draft, Name(_number + 1), overwrite: true);
            }
            catch
            {
                file.Dispose();
                throw;
            }

            _file?.Dispose();
            _file = file;
            _number++;
            _snapshotLength = file.Length;
            _state.Records.Clear();
            foreach ((ulong number, string path) in Files())
            {
                if (number < _number)
                {
                    File.Delete(path);
                }
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Suspend(fault);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }

    private static byte[] BootIdentity()
    {
        const string Source = "/proc/sys/kernel/random/boot_id";
        byte[] identity = new byte[16];
        if (File.Exists(Source) && Guid.TryParse(File.ReadAllText(Source), out Guid boot))
        {
            _ = boot.TryWriteBytes(identity);
        }

        return identity;
    }

    /// <summary>Reads a file as far as it is sound.</summary>
    /// <returns>False when it is no state of this run of the kernel, or its snapshot is incomplete.</returns>
    private static bool ReadFile(string path, StoreState state)
    {
        byte[] bytes = File.ReadAllBytes(path);
        byte[] head = FileHead;
        if (!bytes.AsSpan().StartsWith(head))
        {
            return false;
        }

        bool isComplete = false;
        ReadOnlySpan<byte> rest = bytes.AsSpan(head.Length);
        while (rest.Length >= FrameHead)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest);
            uint sum = BinaryPrimitives.ReadUInt32LittleEndian(rest[4..]);
            if (length == 0 || length > rest.Length - FrameHead
                || sum != Checksum(rest.Slice(FrameHead, (int)length)))
            {
                break;
            }

            isComplete |= state.Load(rest.Slice(FrameHead, (int)length));
            rest = rest[(FrameHead + (int)length)..];
        }

        return isComplete;
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = uint.MaxValue;
        while (bytes.Length >= 8)
        {
            sum = BitOperations.Crc32C(sum, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        foreach (byte value in bytes)
        {
            sum = BitOperations.Crc32C(sum, value);
        }

        return ~sum;
    }

    private void WriteFrame(FileStream file, ReadOnlySpan<byte> records)
    {
        byte[] frame = new byte[FrameHead + records.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, (uint)records.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(4), Checksum(records));
        records.CopyTo(frame.AsSpan(FrameHead));
        file.Write(frame);
    }

    private void Suspend(Exception fault)
    {
        if (_file is not null || _retryAt == 0)
        {
            _state.Log($"the store's state cannot be saved in {_folder}: {fault.Message}; it goes on without, and a "
                + "restart would lose what changes now. Make room there");
        }

        _file?.Dispose();
        _file = null;
        _retryAt = Environment.TickCount64 + RetryMilliseconds;
    }

    private string Name(ulong number) =>
        Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{number}"));

    /// <summary>The folder's files, newest first.</summary>
    private List<(ulong Number, string Path)> Files() =>
    [
        .. Directory.EnumerateFiles(_folder, Prefix + "*")
            .Select(path => (Known: ulong.TryParse(Path.GetFileName(path)[Prefix.Length..], NumberStyles.None,
                CultureInfo.InvariantCulture, out ulong number), Number: number, Path: path))
            .Where(file => file.Known)
            .OrderByDescending(file => file.Number)
            .Select(file => (file.Number, file.Path)),
    ];
}
