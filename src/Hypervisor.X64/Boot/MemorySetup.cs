// SPDX-License-Identifier: MIT
// Memory during the boot, in this order: the map is put in order (Map), tables of our own map it (BuildTables), the frame
// table describes it and the allocator gets what nobody uses (Prepare).

using Hypervisor.Core.Console;
using Hypervisor.Core;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Control;
using Hypervisor.Core.Mmu;
using Hypervisor.X64.Apic;
using Hypervisor.X64.Console;

namespace Hypervisor.X64.Boot;

/// <summary>From the firmware's map to the allocator.</summary>
public static unsafe class MemorySetup
{
    /// <summary>Sorts the map and finds what is free in it, with the tables' memory set aside.</summary>
    public static void Map()
    {
        MemoryMap* host = BootData.Host;
        MemoryMap* free = BootData.Free;
        *host = BootData.Information->MemoryMap;
        BootError error = host->Normalise();
        if (error != BootError.Ok)
        {
            Boot.Stop("the memory map is unusable: "u8, BootErrors.Describe(error));
        }

        if (BootData.Options->MemoryLimit != 0)
        {
            host->LimitRam(BootData.Options->MemoryLimit);
        }

        host->LimitRam(MemoryLayout.MaxFrames << MemoryLayout.PageShift);
        *free = *host;
        Reserve(0, BootData.LowMemoryEnd);
        Reserve(ImageLayout.LoadAddress, ImageLayout.PhysicalOf(ImageLayout.End));
        Reserve(BootData.Information->InformationStart, BootData.Information->InformationEnd);
        for (int index = 0; index < BootData.Information->ModuleCount; index++)
        {
            BootModule module = BootData.Information->Module(index);
            if (!host->IsAll(module.Start, module.End, MemoryType.Ram))
            {
                Boot.Stop("a module cannot be read: "u8, "it lies outside of usable RAM (does the option mem= leave too little?)"u8);
            }

            Reserve(module.Start, module.End);
        }

        if (!BootMemory.Initialise(free))
        {
            Boot.Stop("too little memory: "u8, "there is no usable RAM beyond the modules"u8);
        }

        Log.Info("memory: "u8).Decimal(host->TotalRam >> 20).Text(" MiB of RAM up to "u8).Hex(host->EndOfRam, 9).End();
    }

    /// <summary>The final tables; the boot stub's are in force still.</summary>
    public static void BuildTables()
    {
        MemoryMap* host = BootData.Host;
        FinalTables.Begin(CpuFeatures.HasNoExecute, CpuFeatures.HasGigabytePages);
        FinalTables.MapImage();

        // RAM, the firmware's tables in it, and the first megabyte, where the text screen is.
        FinalTables.MapDirect(0, BootData.LowMemoryEnd);
        for (int index = 0; index < host->Count; index++)
        {
            MemoryRegion region = (*host)[index];
            if (region.Type is MemoryType.Ram or MemoryType.AcpiReclaimable or MemoryType.AcpiNonVolatile)
            {
                ulong start = region.Base & ~MemoryLayout.PageMask;
                FinalTables.MapDirect(
                    start < BootData.LowMemoryEnd ? BootData.LowMemoryEnd : start,
                    (region.End + MemoryLayout.PageMask) & ~MemoryLayout.PageMask);
            }
        }

        if (Screen.Geometry.Size != 0)
        {
            FinalTables.MapFramebuffer(Screen.Geometry.Address, Screen.Geometry.Size);
        }

        FinalTables.MapFrameTables(host->EndOfRam >> MemoryLayout.PageShift);
        DeviceMemory.Initialise(FinalTables.DeviceTable());
        ulong block = ImageLayout.PhysicalOf(ImageLayout.BootBlock);
        ulong* table = FinalTables.MapPerCpuBlock(0, block);
        CpuInfo* cpu = (CpuInfo*)(ImageLayout.BootBlock + MemoryLayout.PerCpuInfo);
        cpu->BlockTable = table;
        cpu->Cr3 = FinalTables.Root;
        Processors.MapBlocks(BootData.Acpi, BootData.Options);
    }

    /// <summary>Frame table, machine-to-physical table and allocator.</summary>
    public static void Prepare()
    {
        MemoryMap* host = BootData.Host;
        MemoryMap* free = BootData.Free;
        ulong frames = host->EndOfRam >> MemoryLayout.PageShift;
        FrameTable.Initialise(frames, CpuFeatures.PhysicalAddressBits);
        for (ulong frame = 0; frame < frames; frame++)
        {
            Machine.MachineToPhysical[frame] = ulong.MaxValue;
        }

        ShowMachineToPhysical(frames);
        for (int index = 0; index < free->Count; index++)
        {
            MemoryRegion region = (*free)[index];
            if (region.Type == MemoryType.Ram)
            {
                AddFree(region.Base, region.End);
            }
        }

        // RAM that is in use is RAM nevertheless: no domain may map it as device memory.
        Own(ImageLayout.LoadAddress, ImageLayout.PhysicalOf(ImageLayout.End));
        Own(BootMemory.Start, BootMemory.End);
        for (int index = 0; index < BootData.Information->ModuleCount; index++)
        {
            Own(BootData.Information->Module(index).Start, BootData.Information->Module(index).End);
        }

        ConsoleLog.Grow(BootData.Options->LogRingSize);
        DescriptorTables.Initialise(PageAllocator.AllocatePages(0));
        DomainTable.Initialise((ulong*)PageAllocator.AllocatePages(6));
        PageOwner.Initialise((Domain*)PageAllocator.AllocatePages(1));
        if (!SystemPolicies.Initialise(speculationControls: false))
        {
            Boot.Stop("too little memory: "u8, "no page for the CPU policies"u8);
        }
    }

    private static void Reserve(ulong start, ulong end)
    {
        if (end > start && BootData.Free->Reserve(start, end) != BootError.Ok)
        {
            Boot.Stop("the memory map is unusable: "u8, "too many pieces"u8);
        }
    }

    private static void AddFree(ulong start, ulong end)
    {
        // Whatever BootMemory took off the top of its region stays the hypervisor's.
        if (BootMemory.End > start && BootMemory.End <= end)
        {
            PageAllocator.AddMemory(start >> MemoryLayout.PageShift, BootMemory.Start >> MemoryLayout.PageShift);
            PageAllocator.AddMemory(BootMemory.End >> MemoryLayout.PageShift, end >> MemoryLayout.PageShift);
            return;
        }

        PageAllocator.AddMemory(start >> MemoryLayout.PageShift, end >> MemoryLayout.PageShift);
    }

    private static void Own(ulong start, ulong end)
    {
        for (ulong address = start & ~MemoryLayout.PageMask; address < end; address += MemoryLayout.PageSize)
        {
            Mfn mfn = Mfn.OfAddress(address);
            if (FrameTable.IsValid(mfn) && FrameTable.Page(mfn)->Owner == FrameTable.OwnerIo)
            {
                FrameTable.Page(mfn)->Owner = FrameTable.OwnerHypervisor;
                FrameTable.Page(mfn)->Count = PageInfo.HypervisorFrame | 1;
            }
        }
    }

    /// <summary>The frames of the machine-to-physical table: tools may map them, read-only.</summary>
    private static void ShowMachineToPhysical(ulong frames)
    {
        ulong* l3 = (ulong*)Machine.Direct(((ulong*)Machine.Direct(FinalTables.Root))[256] & Pte.AddressMask);
        for (ulong offset = 0; offset < frames * 8; offset += 2UL << 20)
        {
            ulong address = MemoryLayout.MachineToPhysicalReadOnly + offset;
            ulong* l2 = (ulong*)Machine.Direct(l3[Pte.IndexOf(address, 3)] & Pte.AddressMask);
            Mfn first = Mfn.OfAddress(l2[Pte.IndexOf(address, 2)] & Pte.AddressMask & ~0x1FFFFFUL);
            for (ulong page = 0; page < Pte.Entries; page++)
            {
                PageInfo* info = FrameTable.Page(first + page);
                info->Owner = FrameTable.OwnerShown;
                info->Count = PageInfo.HypervisorFrame | 1;

                // A type that is not Writable, in use for ever: nobody gets write access.
                info->Type = PageType.Descriptors | PageType.Validated | 1;
            }
        }
    }
}
