// SPDX-License-Identifier: MIT
//
// A process of the daemon holds its lock file as long as it lives, however it ends: the kernel lets go. So whoever wants
// to know whether a role runs asks the lock, and never believes a process number that is written down.
using System;
using System.Globalization;
using System.IO;
using System.Text;
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
    public static RoleLock? TryTake(string path)
    {
        FileDescriptor? file = TryLock(path);
        if (file is null)
        {
            return null;
        }

        File.WriteAllText(path, Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
        return new RoleLock(file);
    }

    /// <summary>The process that holds a lock; null when nobody does, 0 when it has not written its number yet.</summary>
    public static int? Holder(string path)
    {
        if (TryLock(path) is { } free)
        {
            free.Dispose();
            return null;
        }

        try
        {
            return int.TryParse(File.ReadAllText(path, Encoding.ASCII), NumberStyles.AllowTrailingWhite,
                CultureInfo.InvariantCulture, out int process)
                ? process
                : 0;
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static FileDescriptor? TryLock(string path)
    {
        int number = Libc.Open(path, Libc.OpenReadWrite | Libc.OpenCloseOnExec | CreateFile, ReadableByOwner);
        if (number < 0)
        {
            return null;
        }

        FileDescriptor file = FileDescriptor.Own(number);
        if (Libc.Lock(number, Libc.LockExclusive | Libc.LockNonBlocking) == 0)
        {
            return file;
        }

        file.Dispose();
        return null;
    }
}
