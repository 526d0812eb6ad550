// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Toolstack.Build;

/// <summary>
/// A part of a kernel's file that is loaded: to which guest-physical address, from where, and how long.
/// </summary>
public readonly record struct PvSegment(ulong GuestAddress, ulong FileOffset, ulong FileSize, ulong MemorySize);

/// <summary>
/// What the builder wants to know of a kernel: its segments and its ELF notes (<c>xen/elfnote.h</c>).
/// </summary>
public sealed record PvKernel
{
    /// <summary>The unpacked ELF file.</summary>
    public required ReadOnlyMemory<byte> File { get; init; }

    /// <summary>The parts to load.</summary>
    public required IReadOnlyList<PvSegment> Segments { get; init; }

    /// <summary><c>XEN_ELFNOTE_VIRT_BASE</c>: the virtual address of guest-physical address 0.</summary>
    public required ulong VirtualBase { get; init; }

    /// <summary><c>XEN_ELFNOTE_ENTRY</c>.</summary>
    public required ulong Entry { get; init; }

    /// <summary><c>XEN_ELFNOTE_INIT_P2M</c>: where the P2M list is mapped; null places it behind the kernel.</summary>
    public ulong? P2mBase { get; init; }

    /// <summary>
    /// <c>XEN_ELFNOTE_HYPERCALL_PAGE</c>: a page to fill with hypercall stubs; null for kernels that need none.
    /// </summary>
    public ulong? HypercallPage { get; init; }

    /// <summary><c>XEN_ELFNOTE_MOD_START_PFN</c>: the ramdisk need not be mapped.</summary>
    public bool TakesUnmappedRamdisk { get; init; }

    /// <summary><c>XEN_ELFNOTE_GUEST_OS</c>, for the store.</summary>
    public string GuestOs { get; init; } = "linux";
}
