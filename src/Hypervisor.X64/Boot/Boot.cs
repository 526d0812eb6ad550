// SPDX-License-Identifier: MIT
// From the boot loader's hand-over to the first instruction of the first domain. The order is forced: nothing can be said before
// there is a console, nothing allocated before the memory map is known, no interrupt taken before the stacks are there.
// What cannot go on says so in one sentence on every console (Stop) and halts.

using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using Hypervisor.Core;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Console;
using Hypervisor.Core.Control;
using Hypervisor.Core.Dom0;
using Hypervisor.Core.Hypercalls;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Core.Traps;
using Hypervisor.Sched;
using Hypervisor.X64.Apic;
using Hypervisor.X64.Console;
using Hypervisor.X64.Descriptors;
using Hypervisor.X64.Timers;
using Xen.Abi;
using Xen.Images;

namespace Hypervisor.X64.Boot;

/// <summary>The boot sequence of the first CPU.</summary>
public static unsafe class Boot
{
    private const ulong EarlyWindow = 4UL << 30;
    private const ulong LowMemoryEnd = 1UL << 20;
    private const ulong DefaultDom0 = 1UL << 30;
    private const ulong MinimumKeptFree = 64UL << 20;
    private const ulong LocalApicWindow = 1UL << 20;
    private const ulong AnyNumberOfPages = 0xFF_FFFF_FFFF;

    private static BootInformation s_information;
    private static BootOptions s_options;
    private static Core.Boot.MemoryMap s_host;
    private static Core.Boot.MemoryMap s_free;
    private static AcpiInformation s_acpi;

    /// <summary>First stage, on the boot stack and the boot page tables.</summary>
    [RuntimeExport("boot_main")]
    public static void Main(uint magic, uint informationAddress)
    {
        Machine.LogThreshold = LogLevel.Info;
        Machine.OnlineCpus = 1;
        Consoles.OpenEarly(screenIsText: true);
        DescriptorSetup.BuildIdt();
        Banner();
        PhysicalWindow window = new(Machine.Direct(0), EarlyWindow);
        fixed (BootInformation* information = &s_information)
        fixed (BootOptions* options = &s_options)
        {
            BootError error = MultibootInfo.Parse(magic, informationAddress, window, information);
            if (error != BootError.Ok)
            {
                Stop("the boot loader's information is unusable: "u8, BootErrors.Describe(error));
            }

            CommandLine.Parse(information->CommandLine, options);
            Consoles.Configure(options, screenIsText: true);
            Consoles.EnableLineBuffers();
            Machine.LogThreshold = (LogLevel)options->LogThreshold;
            PrintOptions(information, options);
        }

        CpuFeatures.Detect();
        if (CpuFeatures.NeedsIsolation())
        {
            Log.Warning(
                "this CPU needs page-table isolation (Meltdown), which is not done: hostile guests could read all memory"u8).End();
        }

        MapMemory();
        ReadAcpi(window);
        BuildTables();
        Machine.WriteCr3(FinalTables.Root);
        SwitchStack(MemoryLayout.PerCpuBase + MemoryLayout.PerCpuInfo + CpuInfo.VectorSaveOffset);
    }

    /// <summary>Second stage, on CPU 0's own stack and the final tables.</summary>
    [RuntimeExport("boot_continue")]
    public static void Continue()
    {
        PrepareCpu();
        PrepareMemory();
        PrepareInterrupts();
        SetHostMap();
        PrepareScheduler();
        StartOthers();
        Vcpu* first = BuildFirstDomain();
        FreeModules();
        Log.Info("starting the first domain"u8).End();
        CpuInfo* cpu = Machine.Cpu;
        _ = DomainLifecycle.Unpause(first->Domain);
        VcpuScheduling.Wake(first);
        SoftIrqs.Run(cpu);
        EnterGuest(cpu);
    }

    /// <summary>A sentence that says why the machine cannot go on, on every console.</summary>
    public static void Stop(ReadOnlySpan<byte> what, ReadOnlySpan<byte> why)
    {
        Log.Error("cannot start: "u8).Text(what).Text(why).End();
        SystemEnd.HaltOrReboot(s_options.NoReboot);
    }

    private static void Banner()
    {
        Log.Info("__  __            _          ____ _  _"u8).End();
        Log.Info("\\ \\/ /___ _ _    (_)_ _     / ___| || |_"u8).End();
        Log.Info(" \\  // -_) ' \\   | | ' \\   | |  |_  .. _|"u8).End();
        Log.Info(" /  \\\\___|_||_|  |_|_||_|  | |__|_      _|"u8).End();
        Log.Info("/_/\\_\\                      \\____||_||_|   Xen 4.17 interface, x86-64 PV"u8).End();
    }

    private static void PrintOptions(BootInformation* information, BootOptions* options)
    {
        Log.Info("boot loader: "u8).Text(information->LoaderName.Span).Text(", multiboot "u8)
            .Decimal((int)information->MultibootVersion).End();
        Log.Info("command line: "u8).Text(information->CommandLine.Span).End();
        for (int index = 0; index < options->KeptWarnings; index++)
        {
            BootText option = options->Warning(index, out bool malformed);
            Log.Warning("command line: "u8).Text(malformed ? "malformed option "u8 : "unknown option "u8)
                .Text(option.Span).Text(", ignored"u8).End();
        }

        VersionOps.SetCommandLine(information->CommandLine.Pointer, information->CommandLine.Length);
    }

    private static void MapMemory()
    {
        s_host = s_information.MemoryMap;
        BootError error = s_host.Normalise();
        if (error != BootError.Ok)
        {
            Stop("the memory map is unusable: "u8, BootErrors.Describe(error));
        }

        if (s_options.MemoryLimit != 0)
        {
            s_host.LimitRam(s_options.MemoryLimit);
        }

        s_host.LimitRam(MemoryLayout.MaxFrames << MemoryLayout.PageShift);
        s_free = s_host;
        Reserve(0, LowMemoryEnd);
        Reserve(ImageLayout.PhysicalOf(ImageLayout.Start) & ~0x1FFFFFUL, ImageLayout.PhysicalOf(ImageLayout.End));
        Reserve(s_information.InformationStart, s_information.InformationEnd);
        for (int index = 0; index < s_information.ModuleCount; index++)
        {
            BootModule module = s_information.Module(index);
            Reserve(module.Start, module.End);
        }

        fixed (Core.Boot.MemoryMap* free = &s_free)
        {
            if (!BootMemory.Initialise(free))
            {
                Stop("too little memory: "u8, "there is no usable RAM beyond the modules"u8);
            }
        }

        Log.Info("memory: "u8).Decimal(s_host.TotalRam >> 20).Text(" MiB of RAM up to "u8).Hex(s_host.EndOfRam, 9).End();
    }

    private static void Reserve(ulong start, ulong end)
    {
        if (end > start && s_free.Reserve(start, end) != BootError.Ok)
        {
            Stop("the memory map is unusable: "u8, "too many pieces"u8);
        }
    }

    private static void ReadAcpi(PhysicalWindow window)
    {
        fixed (BootInformation* information = &s_information)
        fixed (AcpiInformation* acpi = &s_acpi)
        {
            AcpiError error = AcpiTables.Read(window, information->Rsdp, (uint)information->RsdpLength, acpi);
            AcpiTables.Current = acpi;
            if (error != AcpiError.Ok)
            {
                Log.Warning("ACPI: "u8).Text(AcpiErrors.Describe(error)).End();
            }
        }
    }

    private static void BuildTables()
    {
        FinalTables.Begin(CpuFeatures.HasNoExecute, CpuFeatures.HasGigabytePages);
        FinalTables.MapImage();

        // RAM, the firmware's tables in it, and the first megabyte, where the text screen is.
        FinalTables.MapDirect(0, LowMemoryEnd);
        for (int index = 0; index < s_host.Count; index++)
        {
            MemoryRegion region = s_host[index];
            if (region.Type is MemoryType.Ram or MemoryType.AcpiReclaimable or MemoryType.AcpiNonVolatile)
            {
                ulong start = region.Base & ~MemoryLayout.PageMask;
                FinalTables.MapDirect(
                    start < LowMemoryEnd ? LowMemoryEnd : start,
                    (region.End + MemoryLayout.PageMask) & ~MemoryLayout.PageMask);
            }
        }

        FinalTables.MapFrameTables(s_host.EndOfRam >> MemoryLayout.PageShift);
        DeviceMemory.Initialise(FinalTables.DeviceTable());
        ulong block = ImageLayout.PhysicalOf(ImageLayout.BootBlock);
        ulong* table = FinalTables.MapPerCpuBlock(0, block);
        CpuInfo* cpu = (CpuInfo*)(ImageLayout.BootBlock + MemoryLayout.PerCpuInfo);
        cpu->BlockTable = table;
        cpu->Cr3 = FinalTables.Root;
        fixed (AcpiInformation* acpi = &s_acpi)
        fixed (BootOptions* options = &s_options)
        {
            Processors.MapBlocks(acpi, options);
        }
    }

    private static void PrepareCpu()
    {
        CpuFeatures.EnableOnThisCpu();
        DescriptorSetup.Load(MemoryLayout.PerCpuBase);
        HypervisorSlots.Initialise((ulong*)Machine.Direct(FinalTables.Root));
    }

    private static void PrepareMemory()
    {
        ulong frames = s_host.EndOfRam >> MemoryLayout.PageShift;
        FrameTable.Initialise(frames, CpuFeatures.PhysicalAddressBits);
        for (ulong frame = 0; frame < frames; frame++)
        {
            Machine.MachineToPhysical[frame] = ulong.MaxValue;
        }

        ShowMachineToPhysical(frames);
        for (int index = 0; index < s_free.Count; index++)
        {
            MemoryRegion region = s_free[index];
            if (region.Type == MemoryType.Ram)
            {
                AddFree(region.Base, region.End);
            }
        }

        // RAM that is in use is RAM nevertheless: no domain may map it as device memory.
        Own(ImageLayout.PhysicalOf(ImageLayout.Start) & ~0x1FFFFFUL, ImageLayout.PhysicalOf(ImageLayout.End));
        Own(BootMemory.Start, BootMemory.End);
        for (int index = 0; index < s_information.ModuleCount; index++)
        {
            Own(s_information.Module(index).Start, s_information.Module(index).End);
        }

        DescriptorTables.Initialise(PageAllocator.AllocatePages(0));
        DomainTable.Initialise((ulong*)PageAllocator.AllocatePages(6));
        PageOwner.Initialise((Domain*)PageAllocator.AllocatePages(1));
        if (!SystemPolicies.Initialise(speculationControls: false))
        {
            Stop("too little memory: "u8, "no page for the CPU policies"u8);
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

    private static void SetHostMap()
    {
        const uint MaxHostEntries = 256;
        E820Entry* entries = (E820Entry*)PageAllocator.AllocatePages(1);
        uint count = 0;
        for (int index = 0; index < s_host.Count && count < MaxHostEntries; index++)
        {
            MemoryRegion region = s_host[index];
            entries[count].Addr = region.Base;
            entries[count].Size = region.Length;
            entries[count].Type = (uint)region.Type;
            count++;
        }

        // Firmware may leave these out, but nothing else may be put there.
        for (int index = 0; index < s_acpi.IoApicCount; index++)
        {
            entries[count++] = ReservedEntry(s_acpi.IoApic(index).Address, MemoryLayout.PageSize);
        }

        entries[count++] = ReservedEntry(LocalApic.PhysicalAddress, LocalApicWindow);
        HostMemoryMap.Set(entries, count);
    }

    private static E820Entry ReservedEntry(ulong address, ulong size)
    {
        E820Entry entry;
        entry.Addr = address;
        entry.Size = size;
        entry.Type = (uint)E820Type.Reserved;
        return entry;
    }

    private static void PrepareInterrupts()
    {
        fixed (AcpiInformation* acpi = &s_acpi)
        {
            if (!Tsc.TryCalibrate(acpi))
            {
                Stop("no timer: "u8, "neither the ACPI timer nor the PIT counts, so the time stamp counter's rate is unknown"u8);
            }

            SystemTime.Calibrate(Tsc.Hertz);
            SystemTime.IsTscStable = true;
            LegacyPic.Disable();
            Pit.Silence();
            if (!LocalApic.TryInitialise())
            {
                Stop("no local APIC: "u8, "the processor reports none"u8);
            }

            LocalApic.EnableOnThisCpu(acpi, 0);
            if (!LocalApic.TryCalibrateTimer(Tsc.Hertz))
            {
                Stop("no timer: "u8, "the local APIC's timer does not count"u8);
            }

            int orders = 0;
            while ((MemoryLayout.PageSize << orders) < IrqTable.MemorySize)
            {
                orders++;
            }

            IrqTable.Initialise(PageAllocator.AllocatePages(orders));
            int controllers = IoApic.Discover(acpi);
            IrqTable.ApplyOverrides(acpi);
            for (int index = 0; index < acpi->IoApicCount; index++)
            {
                _ = DeviceMemoryRules.Refuse(Mfn.OfAddress(acpi->IoApic(index).Address), 1);
            }

            Consoles.ConnectInput(acpi);
            Log.Info("time stamp counter "u8).Decimal(Tsc.Hertz / 1000).Text(" kHz "u8)
                .Text("("u8).Text(Tsc.Describe(Tsc.Source)).Text(")"u8).Text(", I/O APICs: "u8).Decimal(controllers).End();
            Wallclock.Set(Rtc.ReadSeconds(acpi), 0);
        }

        Machine.Cpu->LocalApicId = LocalApic.Id;
        _ = DeviceMemoryRules.Refuse(Mfn.OfAddress(LocalApic.PhysicalAddress), 1);
        PortAccess.SetOwnSerialPorts(Consoles.OwnedPort(0), Consoles.OwnedPort(1));
    }

    private static void PrepareScheduler()
    {
        CpuInfo* cpu = Machine.Cpu;
        TimerQueue* queue = (TimerQueue*)PageAllocator.AllocatePages(0);
        TimerQueue.Initialise(cpu, queue);
        CpuScheduler* scheduler = (CpuScheduler*)PageAllocator.AllocatePages(1);
        SchedSystem* system = (SchedSystem*)PageAllocator.AllocatePages(1);
        VcpuScheduling.InitialiseCpu(cpu, scheduler, system);
        Timer* housekeeping = (Timer*)PageAllocator.AllocatePages(0);
        TimerQueue.Prepare(housekeeping, TimerKind.Housekeeping, null, queue);
        TimerQueue.Set(housekeeping, SystemTime.Now() + TimerActions.HousekeepingPeriod);
    }

    private static void StartOthers()
    {
        fixed (Core.Boot.MemoryMap* host = &s_host)
        fixed (BootInformation* information = &s_information)
        {
            Processors.StartOthers(host, information);
        }
    }

    /// <summary>One for each CPU, within the bounds of the command line.</summary>
    private static uint FirstDomainVcpus()
    {
        uint count = (uint)Machine.OnlineCpus;
        uint most = s_options.Dom0MaxVcpus;
        count = most != 0 && count > most ? most : count;
        return count < s_options.Dom0MinVcpus ? s_options.Dom0MinVcpus : count;
    }

    private static Vcpu* BuildFirstDomain()
    {
        if (s_information.ModuleCount == 0)
        {
            Stop("no Domain-0: "u8, "the boot loader passed no module; the first one must be its kernel"u8);
        }

        BootModule kernel = s_information.Module(0);
        Dom0Image image = default;
        image.Kernel = (byte*)Machine.Direct(kernel.Start);
        image.KernelLength = (nuint)kernel.Length;
        image.CommandLine = kernel.CommandLine.Pointer;
        image.CommandLineLength = kernel.CommandLine.Length;
        image.IsUnprivileged = s_options.Guest;
        image.Vcpus = FirstDomainVcpus();
        if (s_information.ModuleCount > 1)
        {
            BootModule ramdisk = s_information.Module(1);
            image.Ramdisk = (byte*)Machine.Direct(ramdisk.Start);
            image.RamdiskLength = (nuint)ramdisk.Length;
        }

        ulong free = PageAllocator.FreeFrames << MemoryLayout.PageShift;
        if (free <= MinimumKeptFree)
        {
            Stop("too little memory: "u8, "less than 64 MiB are left beside the hypervisor and the modules"u8);
        }

        ulong most = free - MinimumKeptFree;
        ulong wanted = s_options.Dom0Memory.Of(free, s_options.Guest ? 32UL << 20 : DefaultDom0);
        ulong limit = s_options.Dom0MemoryMax.Of(free, ulong.MaxValue);
        ulong least = s_options.Dom0MemoryMin.Of(free, 0);
        wanted = wanted < least ? least : wanted;
        wanted = wanted < limit ? wanted : limit;
        image.Pages = (wanted < most ? wanted : most) >> MemoryLayout.PageShift;

        Domain* domain = DomainFactory.Create(s_options.Guest ? 1u : 0u, DomainLimits.OfVcpus(image.Vcpus), out Errno error);
        if (domain == null)
        {
            Stop("too little memory: "u8, "no room for the first domain's structures"u8);
        }

        if (s_options.Guest)
        {
            // It is alone: nobody else could show what it says.
            ConsoleOps.AllowGuests(unlimited: true);
        }

        domain->IsPrivileged = !s_options.Guest;
        domain->HasHardwareAccess = !s_options.Guest;
        domain->MaxPages = s_options.Guest ? image.Pages
            : limit >> MemoryLayout.PageShift < image.Pages ? image.Pages
            : s_options.Dom0MemoryMax.IsSet ? limit >> MemoryLayout.PageShift
            : AnyNumberOfPages;
        Vcpu* vcpu = DomainFactory.CreateVcpu(domain, 0);
        if (vcpu == null)
        {
            Stop("too little memory: "u8, "no room for the first vCPU"u8);
        }

        for (uint id = 1; id < image.Vcpus; id++)
        {
            if (DomainFactory.CreateVcpu(domain, id) == null)
            {
                Stop("too little memory: "u8, "no room for all vCPUs of the first domain"u8);
            }
        }

        for (uint id = 0; s_options.Dom0VcpusPin && id < image.Vcpus; id++)
        {
            CpuMask place = CpuMask.Of(id % Machine.OnlineCpus);
            _ = VcpuScheduling.SetAffinity(domain->VcpuOf(id), place, place);
        }

        Log.Info("first domain: kernel "u8).Decimal(kernel.Length >> 10).Text(" KiB, RAM disk "u8)
            .Decimal((ulong)image.RamdiskLength >> 10).Text(" KiB, memory "u8).Decimal(image.Pages >> 8).Text(" MiB"u8).End();
        Dom0Error failure = Dom0Builder.Build(domain, image, out ImageError imageError);
        if (failure == Dom0Error.MemoryTooSmall && wanted > most)
        {
            failure = Dom0Error.OutOfMemory;
        }

        if (failure != Dom0Error.Ok)
        {
            Stop(
                "the first module cannot be started: "u8,
                failure == Dom0Error.Image ? ImageErrors.Describe(imageError) : Dom0Errors.Describe(failure));
        }

        return vcpu;
    }

    /// <summary>The first domain has its copies of everything: the modules' memory is like any other.</summary>
    private static void FreeModules()
    {
        for (int index = 0; index < s_information.ModuleCount; index++)
        {
            // They begin on page boundaries. What shares the last page with one is not known, so it stays.
            BootModule module = s_information.Module(index);
            for (int number = 0; number < s_host.Count; number++)
            {
                MemoryRegion region = s_host[number];
                ulong start = module.Start > region.Base ? module.Start : region.Base;
                ulong end = module.End < region.End ? module.End : region.End;
                start = start > LowMemoryEnd ? start : LowMemoryEnd;
                if (region.Type == MemoryType.Ram && start < end)
                {
                    PageAllocator.AddMemory(
                        (start + MemoryLayout.PageMask) >> MemoryLayout.PageShift, end >> MemoryLayout.PageShift);
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "boot_switch_stack")]
    private static extern void SwitchStack(ulong stack);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "enter_guest")]
    private static extern void EnterGuest(CpuInfo* cpu);
}
