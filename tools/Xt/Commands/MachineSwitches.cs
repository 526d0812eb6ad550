// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.CommandLine;
using Xt.Build;
using Xt.Image;
using Xt.Machine;

namespace Xt.Commands;

/// <summary>The options that describe a machine, shared by the commands that boot one.</summary>
public sealed class MachineSwitches
{
    private static readonly Dictionary<string, LoaderKind> s_loaders = new(StringComparer.Ordinal)
    {
        ["grub-mb2"] = LoaderKind.GrubMultiboot2,
        ["grub-mb1"] = LoaderKind.GrubMultiboot1,
        ["kernel"] = LoaderKind.Kernel,
        ["efi"] = LoaderKind.Efi,
    };

    /// <summary>Debian's RAM disk and services want more than the system in memory.</summary>
    private const int DiskDom0Megabytes = 1024;

    private readonly MachineOptions _defaults = new();

    private readonly Option<string> _hypervisor = new("--hypervisor")
    {
        Description = "ours: built here; xen: Debian's Xen 4.17; none: the bare kernel",
        DefaultValueFactory = _ => "ours",
    };

    private readonly Option<string> _loader = new("--loader")
    {
        Description = "grub-mb2, grub-mb1: GRUB by multiboot 2 or 1; efi: GRUB by UEFI; kernel: QEMU's own loader",
        DefaultValueFactory = _ => "grub-mb2",
    };

    private readonly Option<string> _machine;
    private readonly Option<int> _cpus;
    private readonly Option<int> _memory;
    private readonly Option<int> _dom0Memory;
    private readonly Option<string> _cpu;
    private readonly Option<string> _accelerator;
    private readonly Option<string?> _scheduler = new("--sched") { Description = "scheduler: credit, sedf or bvt" };

    private readonly Option<string?> _screen = new("--screen")
    {
        Description = "a VGA card, which GRUB leaves in this mode: text, or as 1024x768x32 (by UEFI any is graphics)",
    };

    private readonly Option<string?> _disk = new("--disk")
    {
        Description = "boot from a disk, by its own GRUB: debian, a whole Debian 12 with systemd (log in as root; what is "
            + "written to it is gone with the machine)",
    };

    private readonly Option<string[]> _drive = new("--drive")
    {
        Description = "disk for Domain-0: a file (.qcow2, else raw), or QEMU's own -drive words; may be repeated",
    };

    private readonly Option<string> _append = new("--append")
    {
        Description = "more words for the hypervisor's command line",
        DefaultValueFactory = _ => string.Empty,
    };

    private readonly Option<string> _dom0Append = new("--dom0-append")
    {
        Description = "more words for the command line of Domain-0's kernel (or of the micro guest); "
            + "xt.tools=off starts no Xen daemons, xt.devices=off loads no drivers",
        DefaultValueFactory = _ => string.Empty,
    };

    private readonly Option<string?> _initrd = new("--initrd") { Description = "another RAM disk for Domain-0" };

    private readonly Option<string?> _module = new("--module")
    {
        Description = "first and only module instead of Linux: a micro guest",
    };

    private readonly Option<bool> _noModules = new("--no-modules") { Description = "boot the hypervisor alone" };
    private readonly Option<bool> _gdb = new("--gdb") { Description = "start halted, wait for gdb on port 1234" };

    private readonly Option<bool> _icount = new("--icount")
    {
        Description = "one instruction is one nanosecond: times repeat exactly",
    };

    private readonly Option<string?> _qemuLog = new("--qemu-log")
    {
        Description = "file for QEMU's log of interrupts, exceptions and resets (-d int,cpu_reset)",
    };

    private readonly Option<bool> _noBuild = new("--no-build")
    {
        Description = "take what is in artifacts/ as it is, without looking at the sources",
    };

    private readonly Option<string[]> _qemu = new("--qemu") { Description = "one more word for QEMU; may be repeated" };

    public MachineSwitches()
    {
        _ = _hypervisor.AcceptOnlyFromAmong("ours", "xen", "none");
        _ = _loader.AcceptOnlyFromAmong([.. s_loaders.Keys]);
        _ = _disk.AcceptOnlyFromAmong(DebianDisk.Name);
        _machine = new("--machine")
        {
            Description = "QEMU's board: q35 (PCI Express) or pc (i440FX)",
            DefaultValueFactory = _ => _defaults.Machine,
        };
        _ = _machine.AcceptOnlyFromAmong("q35", "pc");
        _cpus = new("--smp") { Description = "number of CPUs", DefaultValueFactory = _ => _defaults.Cpus };
        _memory = new("--memory")
        {
            Description = "memory of the machine, MiB",
            DefaultValueFactory = _ => _defaults.MemoryMegabytes,
        };
        _dom0Memory = new("--dom0-memory")
        {
            Description = "memory of Domain-0, MiB",
            DefaultValueFactory = _ => _defaults.Dom0MemoryMegabytes,
        };
        _cpu = new("--cpu") { Description = "QEMU's CPU model", DefaultValueFactory = _ => _defaults.CpuModel };
        _accelerator = new("--accel")
        {
            Description = "tcg (emulation, works everywhere) or kvm",
            DefaultValueFactory = _ => _defaults.Accelerator,
        };
    }

    public void AddTo(Command command)
    {
        Option[] options =
        [
            _hypervisor, _loader, _machine, _cpus, _memory, _dom0Memory, _scheduler, _screen, _disk, _drive, _append,
            _dom0Append, _cpu, _accelerator, _initrd, _module, _noModules, _gdb, _icount, _qemuLog, _qemu, _noBuild,
        ];
        Array.ForEach(options, command.Options.Add);
    }

    /// <summary>Builds what the machine needs of this repository. Debian's hypervisor is there to compare with.</summary>
    public void Prepare(ParseResult result, MachineOptions options)
    {
        if (result.GetValue(_noBuild) || options.Hypervisor != HypervisorKind.Ours)
        {
            return;
        }

        Products.BuildHypervisor();
        if (options.Module == null && !options.NoModules)
        {
            Products.BuildPrograms();
        }
    }

    public MachineOptions Read(ParseResult result) => new()
    {
        Hypervisor = Enum.Parse<HypervisorKind>(result.GetRequiredValue(_hypervisor), true),
        Loader = s_loaders[result.GetRequiredValue(_loader)],
        Machine = result.GetRequiredValue(_machine),
        Cpus = result.GetRequiredValue(_cpus),
        MemoryMegabytes = result.GetRequiredValue(_memory),
        Dom0MemoryMegabytes = result.GetValue(_disk) != null && result.GetResult(_dom0Memory) is not { Implicit: false }
            ? DiskDom0Megabytes
            : result.GetRequiredValue(_dom0Memory),
        Disk = Disk(result),
        Scheduler = result.GetValue(_scheduler),
        Screen = result.GetValue(_screen),
        Drives = result.GetValue(_drive) ?? [],
        HypervisorArguments = result.GetRequiredValue(_append),
        KernelArguments = result.GetRequiredValue(_dom0Append),
        CpuModel = result.GetRequiredValue(_cpu),
        Accelerator = result.GetRequiredValue(_accelerator),
        Initrd = result.GetValue(_initrd),
        Module = result.GetValue(_module),
        NoModules = result.GetValue(_noModules),
        Gdb = result.GetValue(_gdb),
        InstructionCount = result.GetValue(_icount),
        QemuLog = result.GetValue(_qemuLog),
        QemuArguments = result.GetValue(_qemu) ?? [],
    };

    private string? Disk(ParseResult result)
    {
        string? disk = result.GetValue(_disk);
        bool isOther = result.GetValue(_initrd) != null || result.GetValue(_module) != null || result.GetValue(_noModules)
            || s_loaders[result.GetRequiredValue(_loader)] is LoaderKind.Kernel or LoaderKind.GrubMultiboot1;
        return disk != null && isOther
            ? throw new XtException("A disk brings its own kernel and RAM disk, and its GRUB loads them by multiboot 2.",
                "Leave out --initrd, --module and --no-modules; --loader may be grub-mb2 or efi.")
            : disk;
    }
}
