// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>A file that the loader put into memory.</summary>
public struct BootModule
{
    public ulong Start;

    /// <summary>The physical address after the last byte.</summary>
    public ulong End;

    public BootText CommandLine;

    public readonly ulong Length => End - Start;
}
