// SPDX-License-Identifier: MIT
using System.Collections.Generic;

namespace Xt.Machine;

public enum HypervisorKind
{
    /// <summary>The one built from this repository.</summary>
    Ours,

    /// <summary>Debian's Xen 4.17, the yardstick.</summary>
    Xen,

    /// <summary>Debian's kernel on the bare machine.</summary>
    None,
}

public enum LoaderKind
{
    GrubMultiboot2,
    GrubMultiboot1,

    /// <summary>QEMU's own multiboot loader: quickest, but no firmware and no GRUB in the way.</summary>
    Kernel,

    /// <summary>GRUB started by UEFI firmware, multiboot 2.</summary>
    Efi,
}

/// <summary>A machine to boot: everything that <c>xt run</c> can be told about it.</summary>
public sealed record MachineOptions
{
    /// <summary>The value of <see cref="Screen"/> that asks for text.</summary>
    public const string TextScreen = "text";

    public HypervisorKind Hypervisor { get; init; } = HypervisorKind.Ours;

    /// <summary>A file that takes the place of the hypervisor built here.</summary>
    public string? HypervisorImage { get; init; }

    public LoaderKind Loader { get; init; } = LoaderKind.GrubMultiboot2;

    /// <summary>QEMU's board: <c>q35</c> (PCI Express) or <c>pc</c> (i440FX).</summary>
    public string Machine { get; init; } = "q35";

    public int Cpus { get; init; } = 1;

    public int MemoryMegabytes { get; init; } = 2048;

    public int Dom0MemoryMegabytes { get; init; } = 512;

    /// <summary>
    /// QEMU's CPU model. Without SMAP, because TCG of QEMU 7.2 gives the IRET of a ring-3 kernel supervisor rights on
    /// its stack, and a paravirtual kernel would fault at once; LA57 and SVM are of no use to paravirtual guests.
    /// </summary>
    public string CpuModel { get; init; } = "max,-la57,-smap,-svm";

    public string Accelerator { get; init; } = "tcg";

    public string? Scheduler { get; init; }

    /// <summary>More words for the hypervisor's command line.</summary>
    public string HypervisorArguments { get; init; } = string.Empty;

    /// <summary>More words for the command line of Domain-0's kernel, or of the micro guest.</summary>
    public string KernelArguments { get; init; } = string.Empty;

    public IReadOnlyList<string> Drives { get; init; } = [];

    /// <summary>
    /// The disk whose GRUB, kernel and system are booted (<see cref="Image.DebianDisk.Name"/>), in the place of the CD. Null: the
    /// system in memory.
    /// </summary>
    public string? Disk { get; init; }

    /// <summary>
    /// A VGA card, and what GRUB leaves on it: <see cref="TextScreen"/>, or a mode such as <c>1024x768x32</c>. Null: the
    /// machine has no screen.
    /// </summary>
    public string? Screen { get; init; }

    /// <summary>A file that takes the place of Domain-0's RAM disk.</summary>
    public string? Initrd { get; init; }

    /// <summary>Domain-0's RAM disk is packed, for a machine with little memory.</summary>
    public bool HasPackedInitrd { get; init; }

    /// <summary>A file that takes the place of Domain-0's kernel; there is no RAM disk then.</summary>
    public string? Module { get; init; }

    /// <summary>The module is a Domain-0, not an unprivileged domain with a console.</summary>
    public bool IsModulePrivileged { get; init; }

    /// <summary>Let the hypervisor start without any module.</summary>
    public bool NoModules { get; init; }

    /// <summary>Wait for gdb on port 1234.</summary>
    public bool Gdb { get; init; }

    /// <summary>One instruction, one nanosecond: times repeat exactly.</summary>
    public bool InstructionCount { get; init; }

    /// <summary>File for QEMU's log of interrupts, exceptions and CPU resets.</summary>
    public string? QemuLog { get; init; }

    public IReadOnlyList<string> QemuArguments { get; init; } = [];
}
