// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Text;
using Xt.Debian;
using Xt.Host;
using Xt.Image;

namespace Xt.Machine;

/// <summary>What a boot loader is given: files and command lines.</summary>
public sealed record BootFiles
{
    private const string XenPackage = "xen-hypervisor-4.17-amd64";

    public string? Hypervisor { get; private init; }

    public string HypervisorArguments { get; private init; } = string.Empty;

    public string? Kernel { get; private init; }

    public string KernelArguments { get; private init; } = string.Empty;

    /// <summary>The parts of the RAM disk, one behind the other.</summary>
    public string? InitrdBase { get; private init; }

    public byte[] InitrdOverlay { get; private init; } = [];

    public bool HasInitrd => InitrdBase != null;

    /// <param name="options">The machine.</param>
    /// <param name="texts">More files for Domain-0: their path there, and what they say.</param>
    /// <param name="programs">More files for Domain-0: their path there, and which file of the host they are.</param>
    public static BootFiles Gather(
        MachineOptions options,
        IReadOnlyDictionary<string, string>? texts = null,
        IReadOnlyDictionary<string, string>? programs = null)
    {
        bool isGuestAlone = options.Module != null;
        BootFiles files = new()
        {
            Hypervisor = HypervisorFile(options),
            HypervisorArguments = HypervisorLine(options),
            KernelArguments = isGuestAlone ? options.KernelArguments : KernelLine(options),
        };
        if (options.NoModules || options.Disk != null)
        {
            return files;
        }

        if (isGuestAlone)
        {
            return files with { Kernel = Existing(options.Module!, "--module") };
        }

        return files with
        {
            Kernel = Dom0Image.Kernel(),
            InitrdBase = options.Initrd != null ? Existing(options.Initrd, "--initrd")
                : options.HasPackedInitrd ? Dom0Image.PackedBase() : Dom0Image.Base(),
            InitrdOverlay = options.Initrd != null
                ? []
                : Dom0Image.Overlay(texts ?? new Dictionary<string, string>(), programs),
        };
    }

    /// <summary>Changes when, and only when, the machine would be given something else.</summary>
    public string Key()
    {
        using ContentKey key = new();
        foreach (string? file in new[] { Hypervisor, Kernel, InitrdBase })
        {
            _ = file != null ? key.AddFile(file) : key.Add("-");
        }

        return key.Add(HypervisorArguments).Add(KernelArguments).Add(InitrdOverlay).Finish();
    }

    public string WriteInitrd(string path) => NewFile.Write(path, draft =>
    {
        using FileStream stream = File.Create(draft);
        using (FileStream first = File.OpenRead(InitrdBase!))
        {
            first.CopyTo(stream);
        }

        stream.Write(InitrdOverlay);
    });

    private static string? HypervisorFile(MachineOptions options)
    {
        switch (options.Hypervisor)
        {
            case HypervisorKind.None:
                return null;
            case HypervisorKind.Ours:
                string image = options.HypervisorImage ?? Workspace.Hypervisor;
                return File.Exists(image)
                    ? image
                    : throw new XtException("There is no artifacts/xen yet.", "Build it: tools/xt build");
        }

        PackageStore.Ensure([XenPackage]);
        string packed = Path.Combine(PackageStore.Contents(XenPackage), "boot/xen-4.17-amd64.gz");
        string plain = Path.Combine(Workspace.Cache, "xen-4.17-amd64");
        if (!File.Exists(plain) || File.GetLastWriteTimeUtc(plain) < File.GetLastWriteTimeUtc(packed))
        {
            // QEMU's own loader does not unpack.
            _ = NewFile.Write(plain, draft =>
            {
                using GZipStream source = new(File.OpenRead(packed), CompressionMode.Decompress);
                using FileStream target = File.Create(draft);
                source.CopyTo(target);
            });
        }

        return plain;
    }

    private static string HypervisorLine(MachineOptions options)
    {
        StringBuilder line = new($"com1=115200,8n1 console=com1 ");
        _ = line.Append($"dom0_mem={options.Dom0MemoryMegabytes}M,max:{options.Dom0MemoryMegabytes}M noreboot");
        if (options.Scheduler != null)
        {
            _ = line.Append($" sched={options.Scheduler}");
        }

        // Debian's Xen has no such option: there a micro guest is a Domain-0.
        if (options.Module != null && !options.IsModulePrivileged && options.Hypervisor == HypervisorKind.Ours)
        {
            _ = line.Append(" guest");
        }

        return Joined(line.ToString(), options.HypervisorArguments);
    }

    private static string KernelLine(MachineOptions options) =>
        Joined(options.Hypervisor == HypervisorKind.None ? "console=ttyS0 panic=-1" : "console=hvc0",
            options.KernelArguments);

    private static string Joined(string first, string second) =>
        second.Length == 0 ? first : $"{first} {second}";

    private static string Existing(string path, string option) => File.Exists(path)
        ? Path.GetFullPath(path)
        : throw new XtException($"There is no file {path}.", $"{option} wants the path of an existing file.");
}
