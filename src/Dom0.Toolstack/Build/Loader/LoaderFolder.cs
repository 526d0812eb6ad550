// SPDX-License-Identifier: MIT
//
// Not in /run: systems mount that so that device nodes in it cannot be opened. A folder begins with the number of the
// process that made it; what a process that was killed left behind goes when the next one is made.
using System;
using System.Globalization;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Build.Loader;

/// <summary>
/// The private folder of one run of a boot loader, with a user number that nothing else on the host has: in it are the
/// guest's disk, to be read only, and what the loader writes.
/// </summary>
internal sealed unsafe class LoaderFolder : IDisposable
{
    private const uint FirstUser = 1_900_000_000;
    private const int Processes = 100_000;
    private const int RunsOfProcess = 1_000;
    private const int BlockDeviceReadable = 0x6100;
    private const int FileWritable = 0x180;
    private const int CreateNew = 0xc0;
    private const int NoLinks = 0x20000;

    private static int s_runs;

    private LoaderFolder(string path, uint user)
    {
        Path = path;
        User = user;
    }

    /// <summary>Where it is.</summary>
    public string Path { get; }

    /// <summary>The user and group that own it.</summary>
    public uint User { get; }

    /// <summary>The guest's disk.</summary>
    public string Disk => $"{Path}/disk";

    /// <summary>The file in which the loader says what it chose.</summary>
    public string Output => $"{Path}/output";

    /// <summary>Makes one below <paramref name="parent"/>, with the block device as its disk.</summary>
    public static LoaderFolder Make(string parent, BlockNumber disk)
    {
        int run = Interlocked.Increment(ref s_runs) % RunsOfProcess;
        LoaderFolder folder = new(
            string.Create(CultureInfo.InvariantCulture, $"{parent}/{Environment.ProcessId}-{run}"),
            FirstUser + (uint)((Environment.ProcessId % Processes * RunsOfProcess) + run));
        try
        {
            RemoveAbandoned(parent);
            _ = Directory.CreateDirectory(parent, UnixFileMode.UserRead | UnixFileMode.UserWrite
                | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            _ = Directory.CreateDirectory(folder.Path,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Require(Libc.MakeNode(folder.Disk, BlockDeviceReadable, DeviceNumber(disk)), folder.Disk);
            Require(Libc.ChangeOwner(folder.Disk, folder.User, folder.User), folder.Disk);
            int output = Libc.Open(folder.Output, Libc.OpenReadWrite | Libc.OpenCloseOnExec | CreateNew, FileWritable);
            Require(output, folder.Output);
            _ = Libc.Close(output);
            Require(Libc.ChangeOwner(folder.Output, folder.User, folder.User), folder.Output);
            Require(Libc.ChangeOwner(folder.Path, folder.User, folder.User), folder.Path);
            return folder;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            folder.Dispose();
            throw new ToolstackException($"bootloader: cannot make its folder {folder.Path}: {failure.Message}",
                "Make room there, and run this as root", failure);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Reads a file that the loader wrote: an ordinary one, its own, and no larger than <paramref name="limit"/>. Anybody
    /// who could write here may have put anything under the name.
    /// </summary>
    public byte[] Read(string name, string what, long limit)
    {
        int number = Libc.Open($"{Path}/{name}", Libc.OpenCloseOnExec | Libc.OpenNonBlocking | NoLinks, 0);
        if (number < 0)
        {
            throw new ToolstackException(
                $"bootloader: cannot open {what}: {LibcErrno.Describe(Marshal.GetLastPInvokeError())}");
        }

        using FileDescriptor file = FileDescriptor.Own(number);
        Libc.FileStatus status;
        if (Libc.Status(number, &status) != 0 || (status.Mode & Libc.FileKindMask) != Libc.RegularFileKind
            || status.User != User)
        {
            throw new ToolstackException($"bootloader: {what} is no file that the loader wrote");
        }

        if (status.Size > limit)
        {
            throw new ToolstackException($"bootloader: {what} has {status.Size >> 20} MiB; up to {limit >> 20} are loaded");
        }

        // One byte more than it had a moment ago: it must not have grown.
        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)status.Size + 1, pinned: true);
        int done = 0;
        while (done < bytes.Length)
        {
            int count = file.Read(bytes.AsSpan(done));
            if (count < 0)
            {
                throw new ToolstackException($"bootloader: cannot read {what}: {LibcErrno.Describe(-count)}");
            }

            if (count == 0)
            {
                break;
            }

            done += count;
        }

        return done == status.Size
            ? bytes[..done]
            : throw new ToolstackException($"bootloader: {what} changed while it was read");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next one tries again, once this process has ended.
        }
    }

    private static void RemoveAbandoned(string parent)
    {
        foreach (string path in Directory.Exists(parent) ? Directory.GetDirectories(parent) : [])
        {
            string process = System.IO.Path.GetFileName(path).Split('-')[0];
            if (!Directory.Exists($"/proc/{process}"))
            {
                Directory.Delete(path, recursive: true);
            }
        }
    }

    /// <summary>glibc's <c>makedev</c>.</summary>
    private static ulong DeviceNumber(BlockNumber number) =>
        ((ulong)(number.Major & 0xfff) << 8) | ((ulong)(number.Major & ~0xfffu) << 32)
        | (number.Minor & 0xff) | ((ulong)(number.Minor & ~0xffu) << 12);

    private static void Require(int result, string path)
    {
        if (result < 0)
        {
            throw new ToolstackException(
                $"bootloader: cannot make {path}: {LibcErrno.Describe(Marshal.GetLastPInvokeError())}",
                "Run this as root, and keep /var/lib/xen on a file system that is not mounted nodev");
        }
    }
}
