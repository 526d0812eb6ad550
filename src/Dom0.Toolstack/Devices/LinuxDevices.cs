// SPDX-License-Identifier: MIT
//
// Loop devices are set to clear themselves: the kernel detaches the file when the last user closes the device. The
// toolstack holds it open until the back end does; from then on whatever becomes of the toolstack, no loop device is
// left behind.
using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Devices;

/// <summary>Domain-0's Linux.</summary>
public sealed unsafe class LinuxDevices : IHostDevices
{
    private const uint LoopGetFree = 0x4c82;
    private const uint LoopConfigure = 0x4c0a;
    private const uint LoopReadOnly = 1;
    private const uint LoopAutoClear = 4;
    private const int LoopConfigSize = 304;
    private const int LoopFlagsOffset = 60;
    private const int LoopAttempts = 16;
    private const int ScriptMilliseconds = 30_000;

    private LinuxDevices()
    {
    }

    /// <summary>This host.</summary>
    public static LinuxDevices Host { get; } = new();

    /// <inheritdoc/>
    public long Now => Environment.TickCount64;

    /// <inheritdoc/>
    public void Pause(int milliseconds) => Thread.Sleep(milliseconds);

    /// <inheritdoc/>
    public bool HasDriver(DeviceKind kind) =>
        Directory.Exists($"/sys/bus/xen-backend/drivers/{(kind == DeviceKind.Vbd ? "vbd" : "vif")}");

    /// <inheritdoc/>
    public bool IsDiskOpen(DeviceAddress device) =>
        File.Exists($"/sys/bus/xen-backend/devices/{device.KernelName}/physical_device");

    /// <inheritdoc/>
    public HostFile Identify(string path)
    {
        using FileDescriptor file = FileDescriptor.Open(path, Libc.OpenPathOnly, out int errno)
            ?? throw new ToolstackException($"cannot open {path}: {LibcErrno.Describe(errno)}",
                "Name a block device or a file of Domain-0");
        Libc.FileStatus status;
        if (Libc.Status(file.Number, &status) != 0)
        {
            return default;
        }

        return (status.Mode & Libc.FileKindMask) switch
        {
            Libc.BlockDeviceKind => new HostFile(Numbers(status.RawDevice), null),
            Libc.RegularFileKind => new HostFile(null, (status.Device, status.Node)),
            _ => default,
        };
    }

    /// <inheritdoc/>
    public ILoopDevice AttachLoop(string path, bool isReadOnly)
    {
        using FileDescriptor file = FileDescriptor.OpenFor(path, isReadOnly, out int errno)
            ?? throw new ToolstackException($"cannot open {path}: {LibcErrno.Describe(errno)}",
                isReadOnly ? null : "A file that is only to be read wants mode r");
        using FileDescriptor control = FileDescriptor.Open("/dev/loop-control", 0, out errno)
            ?? throw new ToolstackException($"cannot open /dev/loop-control: {LibcErrno.Describe(errno)}",
                "Load the driver of loop devices: modprobe loop");
        int failure = 0;
        for (int attempt = 0; attempt < LoopAttempts; attempt++)
        {
            int index = control.Control(LoopGetFree, null);
            if (index < 0)
            {
                throw new ToolstackException($"no loop device for {path}: {LibcErrno.Describe(-index)}",
                    "Free one (losetup -a shows them)");
            }

            string node = $"/dev/loop{index.ToString(CultureInfo.InvariantCulture)}";
            FileDescriptor device = FileDescriptor.OpenFor(node, isReadOnly, out errno)
                ?? throw new ToolstackException($"cannot open {node}: {LibcErrno.Describe(errno)}");
            failure = Configure(device, file, path, isReadOnly);
            Libc.FileStatus status;
            if (failure == 0 && Libc.Status(device.Number, &status) == 0)
            {
                return new LoopDevice(node, Numbers(status.RawDevice), device);
            }

            device.Dispose();
            if (failure != LibcErrno.Busy)
            {
                break;
            }

            // Somebody else took it between the two calls: there are more.
        }

        throw new ToolstackException($"cannot make {path} a block device: {LibcErrno.Describe(failure)}");
    }

    /// <inheritdoc/>
    public HostUse? OwnUse(HostFile file) => new BlockUses("/", Identify).Find(file);

    /// <inheritdoc/>
    public IReadOnlySet<BlockNumber> Overlaps(HostFile file) => new BlockUses("/", Identify).Overlaps(file);

    /// <inheritdoc/>
    public bool HasInterface(string name) => LinuxNetwork.Exists(name);

    /// <inheritdoc/>
    public void RenameInterface(string name, string newName) => LinuxNetwork.Rename(name, newName);

    /// <inheritdoc/>
    public void EnsureBridge(string bridge) => LinuxNetwork.EnsureBridge(bridge);

    /// <inheritdoc/>
    public void JoinBridge(string bridge, string name) => LinuxNetwork.Join(bridge, name);

    /// <inheritdoc/>
    public ScriptResult RunScript(string path, string action, IReadOnlyDictionary<string, string> environment)
    {
        ProcessStartInfo start = new(path, [action]) { RedirectStandardError = true, UseShellExecute = false };
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        try
        {
            using Process process = Process.Start(start) ?? throw new ToolstackException($"cannot run {path}");
            StringBuilder complaints = new();
            process.ErrorDataReceived += (_, line) => complaints.AppendLine(line.Data);
            process.BeginErrorReadLine();
            if (!process.WaitForExit(ScriptMilliseconds))
            {
                process.Kill(entireProcessTree: true);
                throw new ToolstackException($"'{path} {action}' has not ended within {ScriptMilliseconds / 1000} seconds");
            }

            process.WaitForExit();
            string last = complaints.ToString().Split('\n').LastOrDefault(line => line.Trim().Length > 0) ?? "";
            return new ScriptResult(process.ExitCode, last.Trim());
        }
        catch (Win32Exception refused)
        {
            throw new ToolstackException($"cannot run {path}: {LibcErrno.Describe(refused.NativeErrorCode)}",
                "Name an executable file, or leave script= out", refused);
        }
    }

    /// <summary><c>struct loop_config</c>: descriptor, block size, then <c>struct loop_info64</c>.</summary>
    private static int Configure(FileDescriptor device, FileDescriptor file, string path, bool isReadOnly)
    {
        byte* config = stackalloc byte[LoopConfigSize];
        new Span<byte>(config, LoopConfigSize).Clear();
        *(int*)config = file.Number;
        *(uint*)(config + LoopFlagsOffset) = LoopAutoClear | (isReadOnly ? LoopReadOnly : 0);

        // For people: losetup shows it. 63 bytes and a zero.
        byte[] name = Encoding.UTF8.GetBytes(path);
        name.AsSpan(0, Math.Min(name.Length, 63)).CopyTo(new Span<byte>(config + LoopFlagsOffset + 4, 63));
        return -Math.Min(0, device.Control(LoopConfigure, config));
    }

    private static BlockNumber Numbers(ulong device) => new(
        (uint)(((device >> 8) & 0xfff) | ((device >> 32) & ~0xffful)),
        (uint)((device & 0xff) | ((device >> 12) & ~0xfful)));

    private sealed class LoopDevice(string path, BlockNumber number, FileDescriptor device) : ILoopDevice
    {
        public string Path => path;

        public BlockNumber Number => number;

        public void Dispose() => device.Dispose();
    }
}
