// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Build;

namespace Dom0.Toolstack.Tests.Build;

/// <summary>Kernels that have the shape of real ones, without their size.</summary>
internal static class TestKernels
{
    public const ulong VirtualBase = 0xffffffff80000000;

    /// <summary>Like Linux 6.1: P2M list and ramdisk outside the kernel's mapping, no hypercall page.</summary>
    public static PvKernel Modern() => new()
    {
        File = File(),
        Segments =
        [
            new PvSegment(0x100000, 0x10, 0x3000, 0x3000),
            new PvSegment(0x103000, 0x3010, 0x800, 0x2400),
        ],
        VirtualBase = VirtualBase,
        Entry = VirtualBase + 0x101000,
        P2mBase = 0x8000000000,
        TakesUnmappedRamdisk = true,
    };

    /// <summary>Like Linux 2.6.18: everything behind the kernel, and a hypercall page.</summary>
    public static PvKernel Classic() => Modern() with
    {
        P2mBase = null,
        TakesUnmappedRamdisk = false,
        HypercallPage = VirtualBase + 0x104000,
    };

    private static ReadOnlyMemory<byte> File()
    {
        byte[] file = new byte[0x4000];
        for (int index = 0; index < file.Length; index++)
        {
            file[index] = (byte)(index * 7);
        }

        return file;
    }
}
