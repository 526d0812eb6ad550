// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Xt.Machine;

namespace Xt.Testing;

/// <summary>One machine of the boot matrix, and how many of its vCPUs Domain-0 is given.</summary>
public sealed record BootCase(LoaderKind Loader, string Machine, string Cpu, int Cpus, int Vcpus, int MemoryMegabytes)
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

    /// <summary>As many, more or fewer than CPUs.</summary>
    private static readonly int[] s_vcpus = [1, 2, 4];

    private static readonly int[] s_memory = [512, 256, 2048, 8192, 65536];

    public string Name =>
        $"boot/{s_loaders.First(entry => entry.Loader == Loader).Name}/{Machine}/{Cpu}/"
        + (Vcpus == Cpus ? string.Empty : $"{Vcpus}-on-") + $"{Cpus}-cpu/{MemoryMegabytes}M";

    private static readonly BootCase[] s_manyCpus =
    [
        new(LoaderKind.Kernel, "q35", "EPYC", Many, Many, 2048),
        new(LoaderKind.GrubMultiboot2, "pc", "qemu64", Many, Many, 8192),
    ];

    /// <summary>
    /// A few machines in which any two circumstances meet, sixteen CPUs excepted, of which there are two; with
    /// <paramref name="full"/> also all machines on which Domain-0 has as many vCPUs as there are CPUs.
    /// </summary>
    public static List<BootCase> All(bool full)
    {
        List<BootCase> cover =
        [
            .. PairwiseCover.Of([s_loaders.Length, s_machines.Length, s_processors.Length, s_cpus.Length - 1, s_memory.Length,
                s_vcpus.Length]).Select(row => Of(row, s_vcpus[row[5]])),
            .. s_manyCpus,
        ];
        return full
            ? [.. PairwiseCover.Product([s_loaders.Length, s_machines.Length, s_processors.Length, s_cpus.Length, s_memory.Length])
                .Select(row => Of(row, s_cpus[row[3]])).Union(cover)]
            : cover;
    }

    public MachineOptions Options() => new()
    {
        Loader = Loader,
        Machine = Machine,
        CpuModel = CpuModel(),
        Cpus = Cpus,
        MemoryMegabytes = MemoryMegabytes,
        Dom0MemoryMegabytes = Math.Clamp(MemoryMegabytes / 2, SmallestDom0, LargestDom0),
        HypervisorArguments = Vcpus == Cpus ? string.Empty : $"dom0_max_vcpus={Vcpus}",
        KernelArguments = PatientWithStalls + (MemoryMegabytes < LargestDom0 ? " " + SmallBuffers : string.Empty),
    };

    private static BootCase Of(int[] row, int vcpus) => new(
        s_loaders[row[0]].Loader, s_machines[row[1]], s_processors[row[2]], s_cpus[row[3]], vcpus, s_memory[row[4]]);

    /// <summary>
    /// Without SMAP, which QEMU 7.2 gets wrong for kernels in ring 3 (<see cref="MachineOptions.CpuModel"/>). Models
    /// that TCG cannot emulate whole lose what it lacks, as QEMU warns; of "max" only what the default leaves out too.
    /// </summary>
    private string CpuModel() => Cpu == "max" ? new MachineOptions().CpuModel : Cpu + ",-smap";
}
