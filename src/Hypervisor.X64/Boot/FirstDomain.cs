// SPDX-License-Identifier: MIT

using Hypervisor.Core;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Console;
using Hypervisor.Core.Dom0;
using Hypervisor.Core.Mmu;
using Hypervisor.Core.Scheduling;
using Hypervisor.Sched;
using Hypervisor.X64.Console;
using Xen.Abi;
using Xen.Images;

namespace Hypervisor.X64.Boot;

/// <summary>Makes the first domain of the boot modules.</summary>
public static unsafe class FirstDomain
{
    private const ulong DefaultGuest = 32UL << 20;

    /// <summary>What the first domain cannot have: room for the hypervisor's own structures, and for the list of frames
    /// while the domain is built (8 bytes for each page).</summary>
    private const ulong KeptFree = 16UL << 20;
    private const ulong PageTableShare = MemoryLayout.PageSize / sizeof(ulong);
    private const ulong AnyNumberOfPages = 0xFF_FFFF_FFFF;

    /// <summary>One for each CPU, within the bounds of the command line.</summary>
    private static uint CountVcpus()
    {
        uint count = (uint)Machine.OnlineCpus;
        uint most = BootData.Options->Dom0MaxVcpus;
        count = most != 0 && count > most ? most : count;
        return count < BootData.Options->Dom0MinVcpus ? BootData.Options->Dom0MinVcpus : count;
    }

    /// <summary>Its first vCPU, ready to run; the domain is still paused.</summary>
    public static Vcpu* Build()
    {
        if (BootData.Information->ModuleCount == 0)
        {
            Boot.Stop("no Domain-0: "u8, "the boot loader passed no module; the first one must be its kernel"u8);
        }

        BootModule kernel = BootData.Information->Module(0);
        Dom0Image image = default;
        image.Kernel = (byte*)Machine.Direct(kernel.Start);
        image.KernelLength = (nuint)kernel.Length;
        image.IsUnprivileged = BootData.Options->Guest;
        image.Vcpus = CountVcpus();
        image.HasScreen = Dom0Screen.TryDescribe(
            in *BootData.Information, Screen.CursorColumn, Screen.CursorRow, out image.Screen);
        if (BootData.Information->ModuleCount > 1)
        {
            BootModule ramdisk = BootData.Information->Module(1);
            image.Ramdisk = (byte*)Machine.Direct(ramdisk.Start);
            image.RamdiskLength = (nuint)ramdisk.Length;
        }

        BootOptions* options = BootData.Options;
        ulong free = PageAllocator.AvailableFrames << MemoryLayout.PageShift;
        ulong kept = KeptFree + (free / PageTableShare);
        if (free <= kept)
        {
            Boot.Stop("too little memory: "u8, "less than 16 MiB are left beside the hypervisor and the modules"u8);
        }

        ulong most = free - kept;
        ulong wanted = options->Guest ? options->Dom0Memory.Of(most, DefaultGuest) : Dom0Size.MemoryOf(*options, most);
        ulong limit = options->Dom0MemoryMax.Of(most, ulong.MaxValue);
        image.Pages = (wanted < most ? wanted : most) >> MemoryLayout.PageShift;
        byte* commandLine = JoinCommandLine(ref image);

        Domain* domain = DomainFactory.Create(BootData.Options->Guest ? 1u : 0u, DomainLimits.OfVcpus(image.Vcpus), out Errno error);
        if (domain == null)
        {
            Boot.Stop("too little memory: "u8, "no room for the first domain's structures"u8);
        }

        if (BootData.Options->Guest)
        {
            // It is alone: nobody else could show what it says.
            ConsoleOps.AllowGuests(unlimited: true);
        }

        domain->IsPrivileged = !BootData.Options->Guest;
        domain->HasHardwareAccess = !BootData.Options->Guest;
        domain->MaxPages = BootData.Options->Guest ? image.Pages
            : limit >> MemoryLayout.PageShift < image.Pages ? image.Pages
            : BootData.Options->Dom0MemoryMax.IsSet ? limit >> MemoryLayout.PageShift
            : AnyNumberOfPages;
        Vcpu* vcpu = DomainFactory.CreateVcpu(domain, 0, out _);
        if (vcpu == null)
        {
            Boot.Stop("too little memory: "u8, "no room for the first vCPU"u8);
        }

        for (uint id = 1; id < image.Vcpus; id++)
        {
            if (DomainFactory.CreateVcpu(domain, id, out _) == null)
            {
                Boot.Stop("too little memory: "u8, "no room for all vCPUs of the first domain"u8);
            }
        }

        for (uint id = 0; BootData.Options->Dom0VcpusPin && id < image.Vcpus; id++)
        {
            CpuMask place = CpuMask.Of(id % Machine.OnlineCpus);
            _ = VcpuScheduling.SetAffinity(domain->VcpuOf(id), place, place);
        }

        Log.Info("first domain: kernel "u8).Decimal(kernel.Length >> 10).Text(" KiB, RAM disk "u8)
            .Decimal((ulong)image.RamdiskLength >> 10).Text(" KiB, memory "u8).Decimal(image.Pages >> 8).Text(" MiB"u8).End();
        Dom0Error failure = Dom0Builder.Build(domain, image, out ImageError imageError);
        PageAllocator.FreePages(commandLine, 0);
        if (failure == Dom0Error.MemoryTooSmall && image.Pages == most >> MemoryLayout.PageShift)
        {
            failure = Dom0Error.OutOfMemory;
        }

        if (failure != Dom0Error.Ok)
        {
            Boot.Stop(
                "the first module cannot be started: "u8,
                failure == Dom0Error.Image ? ImageErrors.Describe(imageError) : Dom0Errors.Describe(failure));
        }

        return vcpu;
    }

    /// <summary>The kernel's words, and behind them those that the hypervisor's command line has for it; in a page that
    /// the caller frees.</summary>
    private static byte* JoinCommandLine(ref Dom0Image image)
    {
        BootText own = BootData.Information->Module(0).CommandLine;
        BootText more = BootData.Options->Dom0Arguments;
        byte* page = (byte*)PageAllocator.AllocatePages(0);
        if (page == null)
        {
            Boot.Stop("too little memory: "u8, "no page for the first domain's command line"u8);
        }

        int length = 0;
        Append(page, ref length, own);
        if (own.Length != 0 && more.Length != 0)
        {
            page[length++] = (byte)' ';
        }

        Append(page, ref length, more);
        image.CommandLine = page;
        image.CommandLineLength = length;
        return page;
    }

    /// <summary>What is too long for the page is too long for the domain too, which the builder says.</summary>
    private static void Append(byte* page, ref int length, BootText text)
    {
        for (int index = 0; index < text.Length && length < (int)MemoryLayout.PageSize - 1; index++)
        {
            page[length++] = text.Pointer[index];
        }
    }

    /// <summary>The first domain has its copies of everything: the modules' memory is like any other.</summary>
    public static void FreeModules()
    {
        Core.Boot.MemoryMap* host = BootData.Host;
        for (int index = 0; index < BootData.Information->ModuleCount; index++)
        {
            // They begin on page boundaries. What shares the last page with one is not known, so it stays.
            BootModule module = BootData.Information->Module(index);
            for (int number = 0; number < host->Count; number++)
            {
                MemoryRegion region = (*host)[number];
                ulong start = module.Start > region.Base ? module.Start : region.Base;
                ulong end = module.End < region.End ? module.End : region.End;
                start = start > BootData.LowMemoryEnd ? start : BootData.LowMemoryEnd;
                if (region.Type == MemoryType.Ram && start < end)
                {
                    PageAllocator.TakeOver(
                        (start + MemoryLayout.PageMask) >> MemoryLayout.PageShift, end >> MemoryLayout.PageShift);
                }
            }
        }
    }
}
