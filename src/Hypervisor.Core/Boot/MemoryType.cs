// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Boot;

/// <summary>Kinds of physical memory, numbered as in ACPI §15.1 (E820), multiboot and
/// XENMEM_machine_memory_map.</summary>
public enum MemoryType : uint
{
    Ram = 1,
    Reserved = 2,
    AcpiReclaimable = 3,
    AcpiNonVolatile = 4,
    Unusable = 5,
}
