// SPDX-License-Identifier: MIT
//
// A process of the daemon holds its lock file as long as it lives, however it ends: the kernel lets go. So whoever wants
// to know whether a role runs asks the lock, and never believes a process number that is written down.
//
// The file is opened by the C library's own calls: .NET's streams lock what they open, by the same kind of lock.
using System;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Dom0.Toolstack;
using Dom0.Toolstack.Interop;

namespace Dom0.Xend.Supervisor;

/// <summary>The right to be the one process of a role.</summary>
internal sealed class RoleLock : IDisposable
{
    private const int CreateFile = 0x40;
    private const int ReadableByOwner = 0x180;

    private readonly FileDescriptor _file;

    private RoleLock(FileDescriptor file) => _file = file;

    /// <summary>Takes the lock and writes this process's number into its file; null when somebody has it.</summary>
    /// <exception cref="ToolstackException">There can be no such file.</exception>
    public static RoleLock? TryTake(string path)
    {
        FileDescriptor file = Open(path, CreateFile, out int errno)
            ?? throw new ToolstackException($"cannot open {path}: {LibcErrno.Describe(errno)}", "Run xend as root");
        if (!TryLock(file))
        {
            file.Dispose();
            return null;
        }

        // As wide as any process number: what an earlier process wrote is covered.
        string text = Environment.ProcessId.ToString(CultureInfo.InvariantCulture).PadRight(10) + "\n";
        _ = file.Write(Encoding.ASCII.GetBytes(text));
        return new RoleLock(file);
    }

    /// <summary>The process that holds a lock; null when nobody does, 0 when it has not written its number yet.</summary>
    public static int? Holder(string path)
    {
        using FileDescriptor? file = Open(path, 0, out _);
        if (file is null || TryLock(file))
        {
            return null;
        }

        Span<byte> text = stackalloc byte[16];
        int count = Math.Max(file.Read(text), 0);
        return int.TryParse(Encoding.ASCII.GetString(text[..count]), NumberStyles.AllowTrailingWhite,
            CultureInfo.InvariantCulture, out int process)
            ? process
            : 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FileDescriptor? Open(string path, int flags, out int errno)
    {
        int number = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec | flags, ReadableByOwner);
        errno = number < 0 ? Marshal.GetLastPInvokeError() : 0;
        return number < 0 ? null : FileDescriptor.Own(number);
    }

    private static bool TryLock(FileDescriptor file) =>
        Libc.Lock(file.Number, Libc.LockExclusive | Libc.LockNonBlocking) == 0;
}
