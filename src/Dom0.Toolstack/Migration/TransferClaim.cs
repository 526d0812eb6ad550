// SPDX-License-Identifier: MIT
//
// Whoever saves or restores a domain holds a file of its identity locked meanwhile. It keeps a second one out, and when
// the process is killed the kernel lets go of the lock while the file stays: so the daemon learns of a guest that
// nobody brings back, of a domain that nobody finishes, and of the draft of a file.
//
// The file is opened by the C library's own calls: .NET's streams lock what they open, by the same kind of lock.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Migration;

/// <summary>What a command was about when it was killed.</summary>
/// <param name="Uuid">The domain.</param>
/// <param name="IsSave">It was being saved, and otherwise restored.</param>
/// <param name="Name">Its name.</param>
/// <param name="Draft">The file that grew; empty when there is none.</param>
public sealed record AbandonedTransfer(Guid Uuid, bool IsSave, string Name, string Draft);

/// <summary>The right to save or restore a domain.</summary>
public sealed class TransferClaim : IDisposable
{
    /// <summary>Where the files lie.</summary>
    public const string Folder = "/run/xend/transfers";

    private const int CreateFile = 0x40;
    private const int ReadableByOwner = 0x180;
    private const int MaximumBytes = 8192;
    private const string SaveWord = "save";
    private const string RestoreWord = "restore";

    private readonly FileDescriptor _file;
    private readonly string _path;

    private TransferClaim(FileDescriptor file, string path)
    {
        _file = file;
        _path = path;
    }

    /// <summary>Takes the right, and says what for.</summary>
    /// <exception cref="ToolstackException">Another command has it.</exception>
    public static TransferClaim Take(AbandonedTransfer purpose, string folder = Folder)
    {
        try
        {
            _ = Directory.CreateDirectory(folder,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception failure) when (FileFailures.IsOne(failure))
        {
            throw new ToolstackException($"cannot make {folder}: {FileFailures.Describe(failure)}", "Run xm as root", failure);
        }

        string path = PathOf(purpose.Uuid, folder);
        TransferClaim claim = TryLock(path, CreateFile) ?? throw new ToolstackException(
            $"'{purpose.Name}' is being saved or restored by another command", "Wait for that one to end");
        string word = purpose.IsSave ? SaveWord : RestoreWord;
        _ = Libc.Truncate(claim._file.Number, 0);
        int result = claim._file.Write(Encoding.UTF8.GetBytes($"{word}\0{purpose.Name}\0{purpose.Draft}\0"));
        if (result < 0)
        {
            claim.Dispose();
            throw new ToolstackException($"writing {path}: {LibcErrno.Describe(-result)}", "Make room in /run");
        }

        return claim;
    }

    /// <summary>The domains whose commands were killed. Each is held until the caller has dealt with it.</summary>
    public static IReadOnlyList<(TransferClaim Claim, AbandonedTransfer Transfer)> Abandoned(string folder = Folder)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        List<(TransferClaim, AbandonedTransfer)> found = [];
        foreach (string path in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
        {
            if (Guid.TryParse(Path.GetFileName(path), out Guid uuid) && TryLock(path, 0) is { } claim)
            {
                string[] parts = claim.Read().Split('\0');

                // A command that was killed before it had said what for had not begun either.
                found.Add((claim, parts.Length >= 3
                    ? new AbandonedTransfer(uuid, parts[0] == SaveWord, parts[1], parts[2])
                    : new AbandonedTransfer(uuid, true, "", "")));
            }
        }

        return found;
    }

    /// <summary>Gives the right back and leaves the file: what it says is still to be done.</summary>
    public void Keep() => _file.Dispose();

    /// <summary>Gives the right back.</summary>
    public void Dispose()
    {
        // Before the lock goes: afterwards it may be somebody else's.
        FileFailures.TryDelete(_path);
        _file.Dispose();
    }

    private static string PathOf(Guid uuid, string folder) => Path.Combine(folder, uuid.ToString("D"));

    private static TransferClaim? TryLock(string path, int flags)
    {
        int number = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec | flags, ReadableByOwner);
        if (number < 0)
        {
            int errno = Marshal.GetLastPInvokeError();
            return errno == LibcErrno.NoEntry
                ? null
                : throw new ToolstackException($"cannot open {path}: {LibcErrno.Describe(errno)}", "Run xm as root");
        }

        FileDescriptor file = FileDescriptor.Own(number);
        Libc.FileStatus status;
        bool isLocked;
        unsafe
        {
            // Whoever had it may have removed it between the two calls: then the lock is of a file without a name.
            isLocked = Libc.Lock(number, Libc.LockExclusive | Libc.LockNonBlocking) == 0
                && Libc.Status(number, &status) == 0 && status.Links > 0;
        }

        if (isLocked)
        {
            return new TransferClaim(file, path);
        }

        file.Dispose();
        return null;
    }

    private string Read()
    {
        Span<byte> text = stackalloc byte[MaximumBytes];
        return Encoding.UTF8.GetString(text[..Math.Max(0, _file.Read(text))]);
    }
}
