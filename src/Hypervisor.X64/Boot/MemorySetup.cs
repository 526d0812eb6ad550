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
    private const ulong DirectMapEnd = MemoryLayout.MaxFrames << MemoryLayout.PageShift;

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

        // Neither what the direct map has no room for, nor what this processor cannot address.
        host->LimitRam(DirectMapEnd);
        host->LimitRam(1UL << CpuFeatures.PhysicalAddressBits);
        *free = *host;
        Reserve(0, BootData.LowMemoryEnd);
        ulong imageStart = ImageLayout.LoadAddress;
        ulong imageEnd = ImageLayout.PhysicalOf(ImageLayout.End);
        Reserve(imageStart, imageEnd);
        Reserve(BootData.Information->InformationStart, BootData.Information->InformationEnd);
        for (int index = 0; index < BootData.Information->ModuleCount; index++)
        {
            BootModule module = BootData.Information->Module(index);
            if (module.Start < imageEnd && module.End > imageStart)
            {
                Boot.Stop("the boot loader's information is unusable: "u8, "a module lies where the hypervisor is"u8);
            }

            if (!host->IsAll(module.Start, module.End, MemoryType.Ram))
            {
                Boot.Stop("a module cannot be read: "u8, "it lies outside of usable RAM (does the option mem= leave too little?)"u8);
            }

            Reserve(module.Start, module.End);
        }

        if (!free->HasRam(0, ulong.MaxValue))
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
        // Two regions may share a page, which is mapped once: it may be part of a large one.
        FinalTables.MapDirect(0, BootData.LowMemoryEnd);
        ulong mapped = BootData.LowMemoryEnd;
        for (int index = 0; index < host->Count; index++)
        {
            MemoryRegion region = (*host)[index];
            if ((region.Type is MemoryType.Ram or MemoryType.AcpiReclaimable or MemoryType.AcpiNonVolatile)
                && region.End > mapped && region.Base < DirectMapEnd)
            {
                ulong start = region.Base & ~MemoryLayout.PageMask;
                ulong end = region.End < DirectMapEnd ? region.End : DirectMapEnd;
                start = start < mapped ? mapped : start;
                mapped = (end + MemoryLayout.PageMask) & ~MemoryLayout.PageMask;
                FinalTables.MapDirect(start, mapped);
            }
        }

        if (Screen.Geometry.Size != 0)
        {
            FinalTables.MapFramebuffer(Screen.Geometry.Address, Screen.Geometry.Size);
        }

        FinalTables.MapFrameTables(host, host->EndOfRam >> MemoryLayout.PageShift);
        DeviceMemory.Initialise(FinalTables.DeviceTable());
        ulong block = ImageLayout.PhysicalOf(ImageLayout.BootBlock);
        ulong* table = FinalTables.MapPerCpuBlock(0, block);
        CpuInfo* cpu = (CpuInfo*)(ImageLayout.BootBlock + MemoryLayout.PerCpuInfo);
        cpu->BlockTable = table;
        cpu->Cr3 = FinalTables.Root;
        Processors.MapBlocks(BootData.Acpi, BootData.Options);
    }

    /// <summary>Stops the boot when a page of the tables in force has rights that it must not have.</summary>
    public static void CheckRights()
    {
        const ulong WriteProtect = 1UL << 16;
        if ((Machine.ReadCr0() & WriteProtect) == 0)
        {
            Boot.Stop("the page tables are unsound: "u8, "the processor does not keep ring 0 from writing to read-only pages"u8);
        }

        RightsFault fault = RightsCheck.Find(FinalTables.Root, out ulong address);
        if (fault == RightsFault.None)
        {
            return;
        }

        if (fault == RightsFault.WritableAndExecutable && !CpuFeatures.HasNoExecute)
        {
            Log.Warning("this CPU has no execute-disable bit: the hypervisor's data can be executed"u8).End();
            return;
        }

        Log.Error("page tables: the page at "u8).Hex(address, 16).End();
        Boot.Stop(
            "the page tables are unsound: "u8,
            fault == RightsFault.WritableAndExecutable ? "a page is writable and executable"u8 : "guests can reach a page of the hypervisor"u8);
    }

    /// <summary>Frame table, machine-to-physical table and allocator.</summary>
    public static void Prepare()
    {
        MemoryMap* host = BootData.Host;
        MemoryMap* free = BootData.Free;
        FrameTables.Describe(host, free);
        for (int index = 0; index < free->Count; index++)
        {
            MemoryRegion region = (*free)[index];
            if (region.Type == MemoryType.Ram)
            {
                PageAllocator.AddMemory(region.Base >> MemoryLayout.PageShift, region.End >> MemoryLayout.PageShift);
            }
        }

        PageAllocator.ReserveLow();
        ConsoleLog.Grow(BootData.Options->LogRingSize);
        DescriptorTables.Initialise(PageAllocator.AllocatePages(0), CpuFeatures.HasNoExecute);
        DomainTable.Initialise((ulong*)PageAllocator.AllocatePages(6));
        PageOwner.Initialise((Domain*)PageAllocator.AllocatePages(1));
        if (!SystemPolicies.Initialise())
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
}
