// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using Xunit;

/// <summary>A fact about Debian's kernel, skipped where that cannot be fetched.</summary>
internal sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute()
    {
        if (DebianKernel.Path == null)
        {
            Skip = "Debian's linux-image-6.1.0-*-amd64 is neither in artifacts/cache/debian nor to be had from apt";
        }
        else if (!ExternalTool.Exists("xz"))
        {
            Skip = "the program xz is not installed";
        }
    }
}
