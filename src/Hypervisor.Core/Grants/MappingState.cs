// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Grants;

/// <summary>Of a <see cref="Mapping"/>: what it holds. Zero: the handle is free.</summary>
[Flags]
public enum MappingState : byte
{
    Free = 0,

    /// <summary>Mapped in page tables; mapped for devices. Each stands for a pin and references of its own.</summary>
    Host = 1 << 0,
    Device = 1 << 1,
    ReadOnly = 1 << 2,

    /// <summary>The mapping was made by naming its page-table entry, and so it is unmapped.</summary>
    ContainsPte = 1 << 3,

    /// <summary>Some call is making, changing or undoing the mapping: nobody else touches it.</summary>
    Busy = 1 << 4,

    /// <summary>No longer mapped, to be let go of after the TLBs are flushed.</summary>
    DropHost = 1 << 5,
    DropDevice = 1 << 6,
}
