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
using Hypervisor.Core.Hypercalls;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Hypervisor.X64.Console;
using Hypervisor.X64.Descriptors;
using Hypervisor.X64.Timers;

namespace Hypervisor.X64.Boot;

/// <summary>The boot sequence of the first CPU.</summary>
public static unsafe class Boot
{
    private const ulong EarlyWindow = 4UL << 30;

    private static ulong s_entered;
    private static ulong s_memoryTicks;

    /// <summary>First stage, on the boot stack and the boot page tables.</summary>
    [RuntimeExport("boot_main")]
    public static void Main(uint magic, uint informationAddress, uint loadOffset)
    {
        s_entered = Machine.ReadTsc();
        ImageLayout.LoadOffset = loadOffset;
        Machine.LogThreshold = LogLevel.Info;
        Machine.OnlineCpus = 1;
        Consoles.OpenEarly();
        DescriptorSetup.BuildIdt();
        PhysicalWindow window = new(Machine.Direct(0), EarlyWindow);
        BootInformation* information = BootData.Information;
        BootOptions* options = BootData.Options;
        BootError error = MultibootInfo.Parse(magic, informationAddress, window, information);

        // Also what is unusable may have a command line, which says where that is to be told and what is to follow.
        CommandLine.Parse(information->CommandLine, options);
        Consoles.Configure(options);
        if (error != BootError.Ok)
        {
            Consoles.OpenTextScreen();
            Stop("the boot loader's information is unusable: "u8, BootErrors.Describe(error));
        }

        CpuFeatures.Detect(options);
        bool hasScreen = Consoles.OpenScreen(options, information, CpuFeatures.PhysicalAddressBits);
        Consoles.EnableLineBuffers();
        Machine.LogThreshold = (LogLevel)options->LogThreshold;
        Log.LimitedThreshold = (LogLevel)options->LogLimitedThreshold;
        GuestMessages.Configure(options->GuestLogThreshold, options->GuestLogLimitedThreshold);
        Banner();
        PrintOptions(information, options);
        if (!hasScreen)
        {
            Log.Warning("screen: it is of a kind that cannot be written to, and stays as it is"u8).End();
        }

        if (CpuFeatures.HasSmap)
        {
            // The boot stub's tables let code be written; the final ones do not.
            SmapPatches.Apply(
                ImageLayout.SmapPatchesStart,
                ImageLayout.SmapPatchesEnd,
                ImageLayout.SmapRoutinesStart,
                ImageLayout.SmapRoutinesEnd);
        }

        if (CpuFeatures.LeaksCache())
        {
            Log.Warning(
                "this CPU needs page-table isolation (Meltdown), which is not done: hostile guests could read all memory"u8).End();
        }

        EfiSetup.Read(window);
        MemorySetup.Map();
        ReadAcpi(window);
        MemorySetup.BuildTables();
        Machine.WriteCr3(FinalTables.Root);
        Consoles.MoveScreen();
        SwitchStack(MemoryLayout.PerCpuBase + MemoryLayout.PerCpuInfo + CpuInfo.VectorSaveOffset);
    }

    /// <summary>Second stage, on CPU 0's own stack and the final tables.</summary>
    [RuntimeExport("boot_continue")]
    public static void Continue()
    {
        PrepareCpu();
        MemorySetup.CheckRights();
        ulong before = Machine.ReadTsc();
        MemorySetup.Prepare();
        s_memoryTicks = Machine.ReadTsc() - before;
        EfiRuntime.Prepare();
        InterruptSetup.Prepare();
        MachineMap.Publish();
        PrepareScheduler();
        Processors.StartOthers(BootData.Host, BootData.Information);
        SystemPolicies.Complete(speculationControls: false);
        Vcpu* first = FirstDomain.Build();
        FirstDomain.FreeModules();
        Processors.StartWatch();
        Log.Info("booted in "u8).Decimal(Milliseconds(Machine.ReadTsc() - s_entered)).Text(" ms, "u8)
            .Decimal(Milliseconds(s_memoryTicks)).Text(" ms of it for the tables of "u8).Decimal(FrameTable.Frames)
            .Text(" frames"u8).End();
        Log.Info("starting the first domain"u8).End();
        if (!BootData.Options->KeepScreen && !BootData.Options->Guest)
        {
            Consoles.LeaveScreen();
        }

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
        SystemEnd.HaltOrReboot(BootData.Options->NoReboot);
    }

    private static ulong Milliseconds(ulong ticks) => ticks / (Tsc.Hertz / 1000);

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
            .Decimal((int)information->MultibootVersion).Text(", image at "u8).Hex(ImageLayout.LoadAddress, 8).End();
        Log.Info("command line: "u8).Text(information->CommandLine.Span).End();
        for (int index = 0; index < options->KeptWarnings; index++)
        {
            BootText option = options->Warning(index, out bool malformed);
            if (malformed)
            {
                Log.Warning("command line: malformed option "u8).Text(option.Span).Text(", ignored; its form is "u8)
                    .Text(OptionForms.Describe(option)).End();
            }
            else
            {
                Log.Warning("command line: unknown option "u8).Text(option.Span).Text(", ignored"u8).End();
            }
        }

        if (options->WarningCount > options->KeptWarnings)
        {
            Log.Warning("command line: "u8).Decimal(options->WarningCount - options->KeptWarnings)
                .Text(" more options are unknown or malformed"u8).End();
        }

        VersionOps.SetCommandLine(information->CommandLine.Pointer, information->CommandLine.Length);
    }

    private static void ReadAcpi(PhysicalWindow window)
    {
        BootInformation* information = BootData.Information;
        AcpiInformation* acpi = BootData.Acpi;
        AcpiError error = AcpiTables.Read(window, information->Rsdp, (uint)information->RsdpLength, acpi);
        AcpiTables.Current = acpi;
        if (error != AcpiError.Ok)
        {
            Log.Warning("ACPI: "u8).Text(AcpiErrors.Describe(error)).End();
        }

        if (acpi->BadTables != 0)
        {
            Log.Warning("ACPI: tables that are unreadable or have a wrong checksum are left out: "u8)
                .Decimal(acpi->BadTables).End();
        }

        if (acpi->IsMadtDamaged)
        {
            Log.Warning("ACPI: the MADT has entries that are malformed or too many, they are left out"u8).End();
        }

        int dropped = AcpiSanity.DropImpossible(acpi, BootData.Host, CpuFeatures.PhysicalAddressBits);
        if (dropped != 0)
        {
            Log.Warning("ACPI: devices that would lie in RAM or beyond all addresses are left out: "u8).Decimal(dropped).End();
        }
    }

    private static void PrepareCpu()
    {
        CpuFeatures.EnableOnThisCpu();
        DescriptorSetup.Load(MemoryLayout.PerCpuBase);
        HypervisorSlots.Initialise((ulong*)Machine.Direct(FinalTables.Root));
    }

    private static void PrepareScheduler()
    {
        CpuInfo* cpu = Machine.Cpu;
        TimerQueue* queue = (TimerQueue*)PageAllocator.AllocatePages(0);
        TimerQueue.Initialise(cpu, queue);
        CpuScheduler* scheduler = (CpuScheduler*)PageAllocator.AllocatePages(1);
        SchedSystem* system = (SchedSystem*)PageAllocator.AllocatePages(1);
        SchedSystem.Initialise(system, BootData.Options->Scheduler);
        VcpuScheduling.InitialiseCpu(cpu, scheduler, system);
        Log.Info("scheduler: "u8).Text(PolicyTable.NameOf(system->Policy)).End();
        Timer* housekeeping = (Timer*)PageAllocator.AllocatePages(0);
        TimerQueue.Prepare(housekeeping, TimerKind.Housekeeping, null, queue);
        TimerQueue.Set(housekeeping, SystemTime.Now() + Housekeeping.Period);
    }

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "boot_switch_stack")]
    private static extern void SwitchStack(ulong stack);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "enter_guest")]
    private static extern void EnterGuest(CpuInfo* cpu);
}
