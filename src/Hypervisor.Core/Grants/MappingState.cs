// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor.Core.Grants;

/// <summary>Of a <see cref="Mapping"/>: which pins it holds. None: the handle is free.</summary>
[Flags]
public enum MappingState : byte
{
    Free = 0,

    /// <summary>Mapped in page tables; mapped for devices. Each holds a pin and page references of its own.</summary>
    Host = 1 << 0,
    Device = 1 << 1,
    ReadOnly = 1 << 2,

    /// <summary>Some call is making, changing or undoing the mapping.</summary>
    Busy = 1 << 3,
}
