// SPDX-License-Identifier: MIT
// Runtime services run at ring 0 where the firmware has put them: they were never told of other addresses
// (SetVirtualAddressMap), so they see physical memory. The tables for that map what EFI's map marks as needed at run
// time, each byte at its physical address, and the hypervisor's slots; no other memory, and no guest's. They are in
// force during a call only. The firmware mixes code and data, so its pages may be written and executed.

using System.Runtime;
using System.Runtime.CompilerServices;
using Hypervisor.Core.Efi;
using Hypervisor.Core.Mmu;

namespace Hypervisor.X64.Boot;

/// <summary>Calls of EFI's runtime services.</summary>
public static unsafe class EfiRuntime
{
    private const ulong LargestTotal = 256UL << 20;
    private const ulong LowHalfEnd = 1UL << 47;
    private const uint MappedIo = 11;
    private const uint MappedPorts = 12;
    private const ulong Table = Pte.Present | Pte.Writable | Pte.Accessed;
    private const ulong Page = Table | Pte.Dirty;

    private static ulong* s_root;
    private static byte* s_vectorSave;

    /// <summary>Makes the tables. Without them Domain-0 gets no runtime services.</summary>
    public static void Prepare()
    {
        EfiFirmware* firmware = EfiTables.Current;
        if (firmware == null || !firmware->HasRuntime)
        {
            return;
        }

        s_root = (ulong*)PageAllocator.AllocatePages(0);
        s_vectorSave = (byte*)PageAllocator.AllocatePages(0);
        if (s_root == null || s_vectorSave == null || !TryMapAll(firmware))
        {
            firmware->ForgetRuntime();
            Log.Warning("EFI: the runtime services cannot be mapped, Domain-0 does without"u8).End();
            return;
        }

        HypervisorSlots.Install(s_root);
    }

    [RuntimeExport("machine_call_firmware")]
    public static ulong Call(ulong function, ulong* arguments)
    {
        ulong root = Machine.Cpu->Cr3;
        VcpuRoots.Load(Machine.PhysicalOf(s_root));
        ulong status = Enter(function, arguments, s_vectorSave);
        VcpuRoots.Load(root);
        return status;
    }

    private static bool TryMapAll(EfiFirmware* firmware)
    {
        ulong total = 0;
        for (int index = 0; index < firmware->RangeCount; index++)
        {
            EfiMemoryRange range = firmware->Range(index);
            if (!range.IsRuntime)
            {
                continue;
            }

            total += range.End - range.Start;
            if (range.End > LowHalfEnd || total > LargestTotal)
            {
                return false;
            }

            bool isDevice = range.Type is MappedIo or MappedPorts;
            ulong flags = isDevice ? Page | Pte.CacheDisable | Pte.WriteThrough : Page;
            for (ulong address = range.Start; address < range.End; address += MemoryLayout.PageSize)
            {
                if (!TryMap(address, flags))
                {
                    return false;
                }
            }
        }

        return true;
    }

    private static bool TryMap(ulong address, ulong flags)
    {
        ulong* table = s_root;
        for (int level = 4; level > 1; level--)
        {
            ulong* entry = table + Pte.IndexOf(address, level);
            if ((*entry & Pte.Present) == 0)
            {
                void* below = PageAllocator.AllocatePages(0);
                if (below == null)
                {
                    return false;
                }

                *entry = Machine.PhysicalOf(below) | Table;
            }

            table = (ulong*)Machine.Direct(*entry & Pte.AddressMask);
        }

        table[Pte.IndexOf(address, 1)] = address | flags;
        return true;
    }

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "firmware_enter")]
    private static extern ulong Enter(ulong function, ulong* arguments, byte* vectorSave);
}
