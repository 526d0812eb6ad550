// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Domain-0 on machines from the smallest that Debian runs on to one larger than the host.</summary>
public sealed class MemorySizeTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(240);

    /// <summary>
    /// Without the 64 MiB that Linux otherwise sets aside for devices, and with a packed RAM disk, as Debian's is, whose files may take
    /// more than half of the memory.
    /// </summary>
    [LongFact]
    public void A_quarter_of_a_gigabyte_is_enough() => Boots(256, 176, "swiotlb=1024 rootfstype=ramfs");

    [LongFact]
    public void Half_a_gigabyte() => Boots(512, 256);

    [LongFact]
    public void Memory_on_both_sides_of_4_GiB() => Boots(8192, 2048);

    /// <summary>More than the host has: what nobody uses must not be touched.</summary>
    [LongFact]
    public void Sixty_four_gigabytes() => Boots(65536, 512);

    [LongFact]
    public void What_mem_cuts_off_is_not_there()
    {
        BatchResult result = Run(8192, 512, "mem=1G");

        Assert.Equal(1023, Field(result.OutputText, "total_memory"));
    }

    private static void Boots(int megabytes, int dom0, string kernelArguments = "")
    {
        BatchResult result = Run(megabytes, dom0, string.Empty, kernelArguments);

        // All but the firmware's holes below 1 MiB; and of what Domain-0 does not have, most is free: the frame tables
        // take 40 bytes for each 4,096 and the hypervisor's own tables a few MiB.
        Assert.InRange(Field(result.OutputText, "total_memory"), megabytes - 2, megabytes);
        Assert.InRange(
            Field(result.OutputText, "free_memory"), megabytes - dom0 - (megabytes / 100) - 24, megabytes - dom0);
        Assert.Matches(@"\(XEN\) booted in \d+ ms, \d+ ms of it for the tables of \d+ frames", File.ReadAllText(result.Log));
    }

    private static BatchResult Run(int megabytes, int dom0, string arguments, string kernelArguments = "")
    {
        MachineOptions machine = new()
        {
            Loader = LoaderKind.Kernel,
            MemoryMegabytes = megabytes,
            Dom0MemoryMegabytes = dom0,
            HypervisorArguments = arguments,
            HasPackedInitrd = megabytes < 512,
            KernelArguments = kernelArguments,
        };
        BatchResult result = BatchRun.Execute(machine, "free -m; xl info", s_limit, $"memory-{megabytes}");
        Assert.Equal(BatchOutcome.Completed, result.Outcome);
        Assert.Equal(0, result.Status);
        return result;
    }

    private static int Field(string info, string name) =>
        int.Parse(Regex.Match(info, $@"(?m)^{name} +: (\d+)$").Groups[1].Value);
}
