// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Xt.Machine;

namespace Xt.Testing;

/// <summary>One machine of the boot matrix.</summary>
public sealed record BootCase(LoaderKind Loader, string Machine, string Cpu, int Cpus, int MemoryMegabytes)
{
    private const int Many = 16;
    private const int SmallestDom0 = 160;
    private const int LargestDom0 = 512;

    /// <summary>Bounce buffers of 8 MiB. Linux takes 64, whatever it was given: more than a small domain can spare.</summary>
    private const string SmallBuffers = "swiotlb=4096";

    /// <summary>CPUs that share the host's few may stand still for longer than Linux finds credible.</summary>
    private const string PatientWithStalls = "rcupdate.rcu_cpu_stall_timeout=200";

    private static readonly (string Name, LoaderKind Loader)[] s_loaders =
    [
        ("grub-mb2", LoaderKind.GrubMultiboot2),
        ("grub-mb1", LoaderKind.GrubMultiboot1),
        ("efi", LoaderKind.Efi),
        ("kernel", LoaderKind.Kernel),
    ];

    private static readonly string[] s_machines = ["q35", "pc"];

    /// <summary>From the first with 64 bits to all that QEMU knows.</summary>
    private static readonly string[] s_processors = ["qemu64", "core2duo", "Nehalem", "EPYC", "max"];

    /// <summary>The last is for a few machines of its own in the cover: sixteen CPUs on two take twice as long to boot.</summary>
    private static readonly int[] s_cpus = [1, 2, 4, Many];

    private static readonly int[] s_memory = [512, 256, 2048, 8192, 65536];

    public string Name =>
        $"boot/{s_loaders.First(entry => entry.Loader == Loader).Name}/{Machine}/{Cpu}/{Cpus}-cpu/{MemoryMegabytes}M";

    private static readonly BootCase[] s_manyCpus =
    [
        new(LoaderKind.Kernel, "q35", "EPYC", Many, 2048),
        new(LoaderKind.GrubMultiboot2, "pc", "qemu64", Many, 8192),
    ];

    /// <summary>
    /// A few machines in which any two circumstances meet, sixteen CPUs excepted, of which there are two; or with
    /// <paramref name="full"/> all.
    /// </summary>
    public static List<BootCase> All(bool full)
    {
        int cpus = full ? s_cpus.Length : s_cpus.Length - 1;
        int[] levels = [s_loaders.Length, s_machines.Length, s_processors.Length, cpus, s_memory.Length];
        IEnumerable<int[]> rows = full ? PairwiseCover.Product(levels) : PairwiseCover.Of(levels);
        IEnumerable<BootCase> machines = rows.Select(row => new BootCase(
            s_loaders[row[0]].Loader, s_machines[row[1]], s_processors[row[2]], s_cpus[row[3]], s_memory[row[4]]));
        return full ? [.. machines] : [.. machines, .. s_manyCpus];
    }

    public MachineOptions Options() => new()
    {
        Loader = Loader,
        Machine = Machine,
        CpuModel = CpuModel(),
        Cpus = Cpus,
        MemoryMegabytes = MemoryMegabytes,
        Dom0MemoryMegabytes = Math.Clamp(MemoryMegabytes / 2, SmallestDom0, LargestDom0),
        KernelArguments = PatientWithStalls + (MemoryMegabytes < LargestDom0 ? " " + SmallBuffers : string.Empty),
    };

    /// <summary>
    /// Without SMAP, which QEMU 7.2 gets wrong for kernels in ring 3 (<see cref="MachineOptions.CpuModel"/>). Models
    /// that TCG cannot emulate whole lose what it lacks, as QEMU warns; of "max" only what the default leaves out too.
    /// </summary>
    private string CpuModel() => Cpu == "max" ? new MachineOptions().CpuModel : Cpu + ",-smap";
}
