// SPDX-License-Identifier: MIT
// The other processors. The MADT names them; each is started by INIT and start-up interrupts (Intel SDM Vol. 3A §9.4.4)
// at a page below 1 MiB (boot/ap.asm), one after the other. A processor and the first CPU go through the start in
// steps, each waiting for the other with a limit:
//
//   called      INIT and start-up interrupts are sent
//   arrived     the processor has its tables and its stack, and all that the others use; its local APIC is on
//   comparing   both read their time stamp counters by turns
//   ready       it has a timer queue and a scheduler
//   running     it counts as online and takes vCPUs
//
// One that does not come in time is given up: the stack pointer that it would need is taken away from the page, so that
// it halts should it come later. CPUs are numbered without gaps, so its number goes to the next one.

using System;
using System.Runtime;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Apic;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Control;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Hypervisor.X64.Apic;
using Hypervisor.X64.Descriptors;
using Hypervisor.X64.Timers;

namespace Hypervisor.X64.Boot;

/// <summary>Starts processors.</summary>
public static unsafe class Processors
{
    /// <summary>Start pages lie below the area of screens and option ROMs.</summary>
    private const ulong EndOfStartPages = 0xA0000;
    private const ulong InitMicroseconds = 10_000;
    private const ulong StartupMicroseconds = 10_000;
    private const ulong ArrivalMicroseconds = 2_000_000;
    private const ulong StepMicroseconds = 2_000_000;
    private const int ComparingTurns = 100;

    private enum Step
    {
        Called,
        Arrived,
        Comparing,
        Compared,
        Ready,
        Running,
        Failed,
        Unfit,
    }

    /// <summary>The head of the start page: the fields of boot/ap.asm.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct StartPage
    {
        public ulong Code;
        public ulong Stack;
        public ulong Root;
        public uint BootRoot;
        public uint Efer;
        public uint LongTarget;
        public ushort LongSelector;
        public ushort TableLimit;
        public uint Table;
    }

    private static AcpiInformation* s_acpi;
    private static uint s_prepared;
    private static uint s_processorId;
    private static int s_step;
    private static SpinLock s_comparison;

    /// <summary>The CPU that is being started: what it has, and scratch memory to find out.</summary>
    private static CpuPolicy* s_candidate;
    private static HostCpuid* s_scratch;
    private static ulong s_lastTsc;
    private static ulong s_worst;

    /// <summary>Maps blocks for as many CPUs as there may be; while tables are still made.</summary>
    public static void MapBlocks(AcpiInformation* acpi, BootOptions* options)
    {
        s_acpi = acpi;
        uint count = 0;
        for (int index = 0; index < acpi->CpuCount; index++)
        {
            count += acpi->Cpu(index).IsEnabled ? 1u : 0u;
        }

        uint most = options->NoSmp ? 1 : options->MaxCpus != 0 ? options->MaxCpus : MemoryLayout.MaxCpus;
        most = most < MemoryLayout.MaxCpus ? most : MemoryLayout.MaxCpus;
        s_prepared = count < most ? count : most;
        for (uint number = 1; number < s_prepared; number++)
        {
            ulong block = BootMemory.Allocate(1UL << MemoryLayout.PerCpuShift);
            ulong* table = FinalTables.MapPerCpuBlock(number, block);
            CpuInfo* cpu = (CpuInfo*)((byte*)Machine.Direct(block) + MemoryLayout.PerCpuInfo);
            cpu->CpuId = number;
            cpu->BlockTable = table;
            cpu->Cr3 = FinalTables.Root;
        }
    }

    /// <summary>Starts all that blocks were made for. The first CPU has its scheduler.</summary>
    public static void StartOthers(MemoryMap* host, BootInformation* information)
    {
        ulong page = s_prepared > 1 ? FindStartPage(host, information) : 0;
        if (s_prepared > 1 && page == 0)
        {
            Log.Warning("CPUs: no RAM below 640 KiB to start others from, one CPU is used"u8).End();
        }

        s_candidate = (CpuPolicy*)PageAllocator.AllocatePages(0);
        s_scratch = (HostCpuid*)PageAllocator.AllocatePages(0);
        if (s_candidate == null || s_scratch == null)
        {
            Boot.Stop("too little memory: "u8, "no pages to start other CPUs with"u8);
        }

        CpuFeatures.Print(Machine.Cpu, SystemPolicies.Host);
        ChooseWatch();
        uint own = LocalApic.Id;
        for (int index = 0; page != 0 && index < s_acpi->CpuCount && Machine.OnlineCpus < s_prepared; index++)
        {
            AcpiCpu entry = s_acpi->Cpu(index);
            if (!entry.IsEnabled || entry.ApicId == own)
            {
                continue;
            }

            if (!LocalApic.IsX2Mode && entry.ApicId > ApicModes.HighestNarrowId)
            {
                Log.Warning("CPU with local APIC "u8).Decimal(entry.ApicId)
                    .Text(" cannot be reached in xAPIC mode"u8).End();
                continue;
            }

            if (!TryStart(entry, page))
            {
                // Whatever it does now, it shall not go on.
                LocalApic.SendInit(entry.ApicId);
            }
        }

        LogLine line = Log.Info("CPUs: "u8).Decimal(Machine.OnlineCpus).Text(" of "u8)
            .Decimal(s_acpi->CpuCount != 0 ? s_acpi->CpuCount : 1).Text(" run, local APICs"u8);
        for (uint cpu = 0; cpu < Machine.OnlineCpus; cpu++)
        {
            line = line.Text(" "u8).Decimal(Machine.CpuOf(cpu)->LocalApicId);
        }

        line.Text(", "u8).Text(ApicModes.Describe(LocalApic.ModeReason)).End();
        PrintWatch();
        PageAllocator.FreePages(s_candidate, 0);
        PageAllocator.FreePages(s_scratch, 0);
    }

    private static bool TryStart(in AcpiCpu entry, ulong page)
    {
        uint number = Machine.OnlineCpus;
        StartPage* head = FillStartPage(page, number);
        s_processorId = entry.ProcessorId;
        *s_scratch = default;
        Volatile.Write(ref s_step, (int)Step.Called);

        LocalApic.SendInit(entry.ApicId);
        Tsc.Wait(InitMicroseconds);
        LocalApic.SendInitDeassert(entry.ApicId);
        LocalApic.SendStartup(entry.ApicId, (uint)page);
        if (!WaitFor(Step.Arrived, StartupMicroseconds) && Volatile.Read(ref head->Stack) != 0)
        {
            LocalApic.SendStartup(entry.ApicId, (uint)page);
        }

        if (!WaitFor(Step.Arrived, ArrivalMicroseconds))
        {
            if (Volatile.Read(ref s_step) == (int)Step.Unfit)
            {
                Log.Warning("CPU with local APIC "u8).Decimal(entry.ApicId).Text(" is not used: it does not have "u8)
                    .Text(CpuFeatures.FindLack(s_candidate)).End();
                return false;
            }

            bool never = Interlocked.Exchange(ref *(long*)&head->Stack, 0) != 0;
            return GiveUp(entry, never ? "it does not react"u8 : "it does not get through its first instructions"u8);
        }

        s_lastTsc = 0;
        s_worst = 0;
        Volatile.Write(ref s_step, (int)Step.Comparing);
        CompareCounters();
        if (!WaitFor(Step.Ready, StepMicroseconds))
        {
            return GiveUp(
                entry,
                Volatile.Read(ref s_step) == (int)Step.Failed
                    ? "there is no memory for its structures"u8
                    : "it stops while it is being set up"u8);
        }

        if (s_worst != 0)
        {
            SystemTime.IsTscStable = false;
            Log.Warning("CPU "u8).Decimal(number).Text(": its time stamp counter is off by "u8).Decimal(s_worst)
                .Text(" ticks; guests are told not to rely on it"u8).End();
        }

        SystemPolicies.Admit(s_candidate);
        CpuFeatures.Print(Machine.CpuOf(number), s_candidate);

        // No vCPU exists yet; from the first one on, this CPU is asked to flush too.
        Machine.OnlineCpus = number + 1;
        Interlocked.MemoryBarrier();
        Volatile.Write(ref s_step, (int)Step.Running);
        return true;
    }

    private static bool GiveUp(in AcpiCpu entry, ReadOnlySpan<byte> reason)
    {
        Log.Warning("CPU with local APIC "u8).Decimal(entry.ApicId).Text(" is not used: "u8).Text(reason).End();
        return false;
    }

    /// <summary>A started processor, on its own stack and the final tables.</summary>
    [RuntimeExport("ap_main")]
    public static void Main()
    {
        CpuInfo* cpu = Machine.Cpu;

        // Before anything that would fault on a lesser processor: there is no IDT yet.
        SystemPolicies.Describe(s_scratch, s_candidate);
        if (!CpuFeatures.FindLack(s_candidate).IsEmpty)
        {
            Volatile.Write(ref s_step, (int)Step.Unfit);
            Machine.HaltForever();
        }

        CpuFeatures.EnableOnThisCpu();
        DescriptorSetup.Load(Machine.PerCpuBlock);
        LocalApic.EnableOnThisCpu(s_acpi, s_processorId);
        cpu->LocalApicId = LocalApic.Id;
        TlbFlush.Local();
        Volatile.Write(ref s_step, (int)Step.Arrived);
        while (Volatile.Read(ref s_step) != (int)Step.Comparing)
        {
            Machine.Pause();
        }

        CompareCounters();
        TimerQueue* queue = (TimerQueue*)PageAllocator.AllocatePages(0);
        CpuScheduler* scheduler = (CpuScheduler*)PageAllocator.AllocatePages(1);
        if (queue == null || scheduler == null)
        {
            Volatile.Write(ref s_step, (int)Step.Failed);
            Machine.HaltForever();
        }

        TimerQueue.Initialise(cpu, queue);
        VcpuScheduling.InitialiseCpu(cpu, scheduler, CpuScheduler.Of(Machine.CpuOf(0))->Policy.System);
        Volatile.Write(ref s_step, (int)Step.Ready);
        while (Volatile.Read(ref s_step) != (int)Step.Running)
        {
            Machine.SpinWait();
        }

        StartWatch();

        SoftIrqs.Run(cpu);
        EnterGuest(cpu);
    }

    /// <summary>Option <c>watchdog</c>: from now on the running CPU must come to its timers.</summary>
    public static void StartWatch()
    {
        CpuInfo* cpu = Machine.Cpu;
        if (!BootData.Options->Watchdog)
        {
            return;
        }

        WatchedCpu* watched = (WatchedCpu*)PageAllocator.AllocatePages(0);
        if (watched == null || !LockupWatch.TryStartHere(cpu, watched))
        {
            Log.Warning("watchdog: CPU "u8).Decimal(cpu->CpuId).Text(" is not looked after"u8).End();
        }
    }

    /// <summary>Chooses how the watchdog looks, on the first CPU.</summary>
    private static void ChooseWatch()
    {
        if (BootData.Options->Watchdog)
        {
            LockupWatch.Choose(CpuFeatures.CounterKind);
        }
    }

    private static void PrintWatch()
    {
        if (BootData.Options->Watchdog)
        {
            Log.Info("watchdog: "u8).Text(LockupWatch.Counter != CounterKind.None
                ? "every CPU by NMIs of its performance counter"u8
                : Machine.OnlineCpus > 1 ? "every CPU by the one before it, as no performance counter counts"u8
                : "off, as there is one CPU and no performance counter counts"u8).End();
        }
    }

    /// <summary>
    /// Two CPUs take turns at reading their counters; one that reads less than the other has just read has a counter that
    /// is behind. Both run this at the same time.
    /// </summary>
    private static void CompareCounters()
    {
        ulong start = Machine.ReadTsc();
        ulong limit = Tsc.Hertz / 50;
        for (int turn = 0; turn < ComparingTurns && Machine.ReadTsc() - start < limit; turn++)
        {
            s_comparison.Acquire();
            Interlocked.MemoryBarrier();
            ulong now = Machine.ReadTsc();
            if (now < s_lastTsc && s_lastTsc - now > s_worst)
            {
                s_worst = s_lastTsc - now;
            }

            s_lastTsc = now;
            s_comparison.Release();
        }
    }

    private static bool WaitFor(Step step, ulong microseconds)
    {
        ulong start = Machine.ReadTsc();
        ulong ticks = microseconds * (Tsc.Hertz / 1_000_000);
        while (Volatile.Read(ref s_step) < (int)step)
        {
            if (Machine.ReadTsc() - start >= ticks)
            {
                return false;
            }

            Machine.SpinWait();
        }

        return Volatile.Read(ref s_step) < (int)Step.Failed;
    }

    /// <summary>The highest free page of RAM below 640 KiB; 0: none.</summary>
    private static ulong FindStartPage(MemoryMap* host, BootInformation* information)
    {
        for (ulong page = EndOfStartPages - MemoryLayout.PageSize; page != 0; page -= MemoryLayout.PageSize)
        {
            ulong end = page + MemoryLayout.PageSize;
            bool usable = false;
            for (int index = 0; index < host->Count; index++)
            {
                MemoryRegion region = (*host)[index];
                usable |= region.Type == MemoryType.Ram && region.Base <= page && end <= region.End;
            }

            usable &= information->InformationEnd <= page || end <= information->InformationStart;
            for (int index = 0; index < information->ModuleCount; index++)
            {
                BootModule module = information->Module(index);
                usable &= module.End <= page || end <= module.Start;
            }

            if (usable)
            {
                return page;
            }
        }

        return 0;
    }

    private static StartPage* FillStartPage(ulong page, uint number)
    {
        StartPage* head = (StartPage*)Machine.Direct(page);
        Machine.Copy(
            head, (void*)ImageLayout.StartTemplate, (nuint)(ImageLayout.StartTemplateEnd - ImageLayout.StartTemplate));
        ulong block = MemoryLayout.PerCpuBase + ((ulong)number << MemoryLayout.PerCpuShift);
        head->Root = FinalTables.Root;
        head->BootRoot = (uint)ImageLayout.PhysicalOf(ImageLayout.BootRoot);
        head->Efer = (uint)(Machine.ReadMsr(Msr.Efer) & (Efer.Sce | Efer.Lme | Efer.Nxe));
        head->LongTarget += (uint)page;
        head->Table += (uint)page;
        Volatile.Write(ref head->Stack, block + MemoryLayout.PerCpuInfo + CpuInfo.VectorSaveOffset);
        return head;
    }

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "enter_guest")]
    private static extern void EnterGuest(CpuInfo* cpu);
}
