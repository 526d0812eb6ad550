// SPDX-License-Identifier: MIT
using Dom0.Toolstack.Build.Loader;
using Dom0.Toolstack.Config;

namespace Dom0.Toolstack.Build;

/// <summary>What a domain starts with, in memory: reading and unpacking take long, and need neither hypervisor nor store.</summary>
public sealed record BootFiles(PvKernel Kernel, byte[] Ramdisk, string CommandLine)
{
    /// <summary>Reads the files that a configuration names.</summary>
    /// <exception cref="ToolstackException">One of them cannot be used; the sentence says which key.</exception>
    public static BootFiles Load(DomainConfig config) => config.BootLoader is not null
        ? BootLoader.Host.Load(config, KernelCache.Host)
        : new BootFiles(
            KernelLoader.Load(config.Kernel, KernelCache.Host),
            config.Ramdisk is null ? [] : KernelLoader.ReadFile("ramdisk", config.Ramdisk),
            config.CommandLine);
}
