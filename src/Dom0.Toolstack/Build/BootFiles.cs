// SPDX-License-Identifier: MIT
using Dom0.Toolstack.Build.Loader;
using Dom0.Toolstack.Config;

namespace Dom0.Toolstack.Build;

/// <summary>What a domain starts with, in memory: reading and unpacking take long, and need neither hypervisor nor store.</summary>
public sealed record BootFiles(PvKernel Kernel, byte[] Ramdisk, string CommandLine)
{
    /// <summary>Reads the files that a configuration names.</summary>
    /// <exception cref="ToolstackException">One of them cannot be used; the sentence says which key.</exception>
    public static BootFiles Load(DomainConfig config)
    {
        if (config.BootLoader is not null)
        {
            return BootLoader.Host.Load(config, KernelCache.Host);
        }

        Progress.Report("reading the kernel");
        PvKernel kernel = KernelLoader.Load(config.Kernel, KernelCache.Host);
        Progress.Report("reading the RAM disk");
        return new BootFiles(kernel,
            config.Ramdisk is null ? [] : KernelLoader.ReadFile("ramdisk", config.Ramdisk), config.CommandLine);
    }
}
