// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Interrupts;

/// <summary>Where an interrupt comes from.</summary>
public enum IrqKind : byte
{
    None = 0,

    /// <summary>A pin of an I/O APIC; the irq's number is the GSI.</summary>
    Pin,

    /// <summary>A device's message, by its MSI capability.</summary>
    Msi,

    /// <summary>A device's message, by an entry of its MSI-X table.</summary>
    MsiX,
}

/// <summary>Part of the hypervisor that serves an interrupt itself.</summary>
public enum InternalIrq : byte
{
    None = 0,
    Console,
}
