// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using System.Text;

namespace Dom0.Xend;

/// <summary>
/// The daemon's log, which all its processes append to, whole lines at a time. It grows up to a limit, then becomes
/// xend.log.1 in place of the one before.
/// </summary>
internal sealed class XendLog
{
    private const long Limit = 1024 * 1024;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _path;
    private readonly string _role;
    private readonly object _lock = new();

    /// <summary>Writes as one of the daemon's processes.</summary>
    public XendLog(string path, string role)
    {
        _path = path;
        _role = role;
    }

    /// <summary>Writes one line.</summary>
    public void Write(string sentence)
    {
        string line = string.Create(CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:yyyy-MM-dd HH:mm:ss.fff} {_role}[{Environment.ProcessId}]: {sentence.ReplaceLineEndings(" ")}\n");
        lock (_lock)
        {
            try
            {
                _ = Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
                if (new FileInfo(_path) is { Exists: true, Length: > Limit })
                {
                    File.Move(_path, _path + ".1", overwrite: true);
                }

                FileStreamOptions options = new()
                {
                    Mode = FileMode.Append,
                    Access = FileAccess.Write,
                    Share = FileShare.ReadWrite | FileShare.Delete,
                    BufferSize = 0,
                    UnixCreateMode = Mode,
                };
                using FileStream file = new(_path, options);
                file.Write(Encoding.UTF8.GetBytes(line));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // A daemon that cannot log must go on; systemd keeps what is said here.
                Console.Error.Write(line);
            }
        }
    }
}
