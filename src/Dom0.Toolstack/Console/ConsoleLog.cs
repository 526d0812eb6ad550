// SPDX-License-Identifier: MIT
//
// What a guest says goes to a file before it leaves the ring, so that nothing is lost with the daemon. The file grows up
// to a limit, then becomes NAME.log.1 in place of the one before; positions in the stream count on.
using System;
using System.IO;

namespace Dom0.Toolstack.Console;

/// <summary>The log of one guest's console.</summary>
public sealed class ConsoleLog
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string _path;
    private readonly long _limit;

    /// <summary>
    /// Appends to a file of up to <paramref name="limit"/> bytes; <paramref name="basePosition"/> is the position in the
    /// stream of the file's first byte.
    /// </summary>
    public ConsoleLog(string directory, string name, long limit, long basePosition)
    {
        _path = PathOf(directory, name);
        _limit = limit;
        Base = basePosition;
        Length = new FileInfo(_path) is { Exists: true } file ? file.Length : 0;
    }

    /// <summary>Position in the stream of the file's first byte.</summary>
    public long Base { get; private set; }

    /// <summary>Bytes in the file.</summary>
    public long Length { get; private set; }

    /// <summary>Position in the stream behind the last byte.</summary>
    public long End => Base + Length;

    /// <summary>Did the last attempt to write fail? What was to be written is then missing in the file.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The file of a guest, whose name has neither slash nor control character.</summary>
    public static string PathOf(string directory, string name) => Path.Combine(directory, $"guest-{name}.log");

    /// <summary>Appends; true when a new file was begun, whose <see cref="Base"/> wants to be remembered.</summary>
    public bool Append(ReadOnlySpan<byte> data)
    {
        bool rotates = Length > 0 && Length + data.Length > _limit;
        try
        {
            _ = Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            if (rotates)
            {
                File.Move(_path, _path + ".1", overwrite: true);
                Base += Length;
                Length = 0;
            }

            FileStreamOptions options = new()
            {
                Mode = FileMode.Append,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                BufferSize = 0,
                UnixCreateMode = OwnerOnly,
            };
            using FileStream file = new(_path, options);
            file.Write(data);
            IsBroken = false;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A full disk must not stop guests: positions count on, and the file has a gap.
            IsBroken = true;
        }

        Length += data.Length;
        return rotates;
    }

    /// <summary>Goes on in the file of another name, which takes the place of what is there.</summary>
    public void MoveTo(string directory, string name)
    {
        string path = PathOf(directory, name);
        try
        {
            foreach (string suffix in (string[])["", ".1"])
            {
                if (File.Exists(_path + suffix))
                {
                    File.Move(_path + suffix, path + suffix, overwrite: true);
                }
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            IsBroken = true;
        }

        _path = path;
    }

    /// <summary>The last bytes of a file, up to a count; none when it cannot be read.</summary>
    public static byte[] Tail(string directory, string name, long count)
    {
        try
        {
            using FileStream file = new(PathOf(directory, name), FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete, 1);
            byte[] bytes = new byte[Math.Min(count, file.Length)];
            file.Position = file.Length - bytes.Length;
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return bytes[..read];
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
