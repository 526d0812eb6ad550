// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Efi;

/// <summary>A descriptor of EFI's memory map (UEFI 2.10 §7.2), without its virtual address.</summary>
public struct EfiMemoryRange
{
    /// <summary><c>EFI_MEMORY_RUNTIME</c>: the firmware needs it while the system runs.</summary>
    private const ulong Runtime = 1UL << 63;

    public ulong Start;

    /// <summary>The address after the last byte.</summary>
    public ulong End;
    public ulong Attributes;
    public ulong Type;

    public readonly bool IsRuntime => (Attributes & Runtime) != 0;
}
