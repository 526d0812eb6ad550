// SPDX-License-Identifier: MIT
//
// A configuration that comes through xend's interface was not read by this program's own reader. What the builder counts
// on is checked here, whoever wrote it.
using System.Linq;

namespace Dom0.Toolstack.Config;

/// <summary>Refuses descriptions of domains that cannot be meant.</summary>
public static class DomainConfigCheck
{
    /// <summary>Most virtual CPUs of a domain.</summary>
    public const int MaximumVcpus = 128;

    /// <summary>Most characters of a kernel's command line.</summary>
    public const int MaximumCommandLine = 1023;

    /// <summary>Least memory of a domain.</summary>
    public const ulong MinimumMemoryKib = 4 * 1024;

    private const ulong MaximumMemoryKib = 1UL << 34;
    private const int MaximumName = 127;

    /// <summary>Can this name a domain?</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= MaximumName && !name.All(char.IsAsciiDigit)
        && !name.Any(c => c <= ' ' || c == '/' || c >= 127);

    /// <summary>Refuses a name that cannot name a domain.</summary>
    /// <exception cref="ToolstackException">It cannot.</exception>
    public static void CheckName(string name)
    {
        if (!IsName(name))
        {
            throw new ToolstackException($"name: '{name}' cannot name a domain",
                $"Use up to {MaximumName} printable characters without spaces and slashes, at least one of them no digit");
        }
    }

    /// <summary>Refuses what cannot be built.</summary>
    /// <exception cref="ToolstackException">Something cannot be meant; the sentence says which key.</exception>
    public static void Check(DomainConfig config)
    {
        CheckName(config.Name);
        Require(config.Kernel.Length > 0 || config.BootLoader is not null, "kernel", "is empty");
        Require(config.BootLoader is null || (config.BootLoader.Length > 0 && config.Disks.Count > 0), "bootloader",
            "is empty, or there is no disk for it to look at");
        Require(config.CommandLine.Length <= MaximumCommandLine && !config.CommandLine.Contains('\0'), "cmdline",
            $"has {config.CommandLine.Length} characters or a zero; there is room for {MaximumCommandLine} without one");
        Require(config.MemoryKib is >= MinimumMemoryKib and <= MaximumMemoryKib, "memory",
            $"is {config.MemoryKib} KiB; from {MinimumMemoryKib} to {MaximumMemoryKib} is possible");
        Require(config.MaximumMemoryKib >= config.MemoryKib && config.MaximumMemoryKib <= MaximumMemoryKib, "maxmem",
            $"is {config.MaximumMemoryKib} KiB, less than memory or beyond what is possible");
        Require(config.MaximumVcpus is >= 1 and <= MaximumVcpus, "vcpus",
            $"is {config.MaximumVcpus}; from 1 to {MaximumVcpus} is possible");
        Require(config.OnlineVcpus.Count == config.MaximumVcpus && config.OnlineVcpus[0], "vcpu_avail",
            "must say for each virtual CPU whether it is online, and virtual CPU 0 is");
        Require(config.Affinity.Count == config.MaximumVcpus && config.Affinity.All(cpus => !cpus.IsEmpty), "cpus",
            "must name CPUs for each virtual CPU");
        Require(config.Weight is null or (>= 1 and <= 65535), "cpu_weight", $"is {config.Weight}");
        Require(config.Cap is null or (>= 0 and <= 100 * MaximumVcpus), "cpu_cap", $"is {config.Cap}");
        DeviceListCheck.CheckDisks(config.Disks);
        DeviceListCheck.CheckVifs(config.Vifs);
        Require(config.TscMode is >= 0 and <= 3, "tsc_mode", $"is {config.TscMode}");
    }

    private static void Require(bool holds, string key, string complaint)
    {
        if (!holds)
        {
            throw new ToolstackException($"{key}: {complaint}", $"Correct {key} in the configuration");
        }
    }
}
