// SPDX-License-Identifier: MIT
// The hypervisor's part of every address space: L4 slots 256 to 271, the hole that Xen's x86-64 interface reserves
// (ffff800000000000 to ffff87ffffffffff). Everything outside it belongs to the guest that runs.
//
//   slot  address           what                                          who may touch it
//   256   ffff800000000000  machine-to-physical table                     every guest, read-only
//   257   ffff808000000000  the same table                                hypervisor, writable
//   261   ffff828000000000  image, at its physical address + this base    hypervisor, W^X
//         ffff829000000000  frame table (PageInfo of every frame)         hypervisor
//         ffff82a000000000  per-CPU blocks, 256 KiB each                  hypervisor
//         ffff82b000000000  device memory, uncached                       hypervisor
//         ffff82b800000000  framebuffer, write-combining                  hypervisor
//   262   ffff830000000000  direct map of all memory                      hypervisor

namespace Hypervisor;

/// <summary>Virtual addresses and sizes that the boot code, the linker script and the page tables agree on.</summary>
public static class MemoryLayout
{
    public const int PageShift = 12;
    public const ulong PageSize = 1UL << PageShift;
    public const ulong PageMask = PageSize - 1;

    /// <summary>What an entry of level 2 maps.</summary>
    public const ulong LargePage = 2UL << 20;

    public const ulong HypervisorStart = 0xFFFF_8000_0000_0000;
    public const ulong HypervisorEnd = 0xFFFF_8800_0000_0000;
    public const int FirstHypervisorSlot = 256;
    public const int HypervisorSlots = 16;

    public const ulong MachineToPhysicalReadOnly = 0xFFFF_8000_0000_0000;
    public const ulong MachineToPhysical = 0xFFFF_8080_0000_0000;
    public const ulong ImageBase = 0xFFFF_8280_0000_0000;
    public const ulong FrameTable = 0xFFFF_8290_0000_0000;
    public const ulong PerCpuBase = 0xFFFF_82A0_0000_0000;
    public const ulong DeviceMemory = 0xFFFF_82B0_0000_0000;
    public const ulong Framebuffer = 0xFFFF_82B8_0000_0000;
    public const ulong DirectMap = 0xFFFF_8300_0000_0000;

    /// <summary>Frames beyond this have no room in the frame table or the direct map (5 TiB).</summary>
    public const ulong MaxFrames = 5UL << (40 - PageShift);

    // Inside a per-CPU block; boot/*.asm has the same numbers from offsets.inc.
    public const int PerCpuShift = 18;
    public const ulong PerCpuGdt = 0x00000;
    public const ulong PerCpuLdt = 0x10000;
    public const ulong PerCpuSyscallCode = 0x20000;
    public const ulong PerCpuData = 0x21000;
    public const ulong PerCpuStack = 0x28000;
    public const ulong PerCpuStackTop = 0x30000;
    public const ulong PerCpuInfo = PerCpuStackTop - 0x400;
    public const ulong PerCpuDebugStackTop = 0x32000;
    public const ulong PerCpuNmiStackTop = 0x34000;
    public const ulong PerCpuDoubleFaultStackTop = 0x36000;
    public const ulong PerCpuMachineCheckStackTop = 0x38000;
    public const int MaxCpus = 64;
}
