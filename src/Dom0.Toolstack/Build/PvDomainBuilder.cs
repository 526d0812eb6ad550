// SPDX-License-Identifier: MIT
//
// From an empty domain to one that could run: memory, contents, rings, first virtual CPU. The hypervisor holds the
// order: memory before contents, contents before the page tables are pinned, and all of the builder's own mappings gone
// by then, because a frame that somebody can write to cannot become a page table. Every step says its name when it
// fails; undoing is the caller's, who destroys the whole domain.
using System;
using System.Linq;
using System.Runtime.CompilerServices;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Build;

/// <summary>Fills a new paravirtualized domain.</summary>
public sealed class PvDomainBuilder
{
    /// <summary>
    /// What a domain may have beyond its own memory, for the pages that the hypervisor counts as its.
    /// </summary>
    public const ulong SlackKiB = 1024;

    private const int SuperpageOrder = 9;
    private const int SuperpageFrames = 1 << SuperpageOrder;
    private const int BatchExtents = 4096;

    /// <summary>So many are 512 MiB: often enough to show how far it has come.</summary>
    private const int BatchSuperpages = 256;

    private readonly Hypervisor _hypervisor;
    private readonly DomId _domain;
    private readonly DomainConfig _config;

    /// <summary>Builds into <paramref name="domain"/>, which was just created.</summary>
    public PvDomainBuilder(Hypervisor hypervisor, DomId domain, DomainConfig config)
    {
        _hypervisor = hypervisor;
        _domain = domain;
        _config = config;
    }

    /// <summary>How domains are called in errors; by their numbers unless somebody knows better.</summary>
    public Func<int, string> NameOf { get; init; } = id => $"domain {id}";

    /// <summary>Sets the domain's limits and scheduling.</summary>
    public void Configure()
    {
        DomainControl domains = _hypervisor.Domains;
        Step("vcpus", () => domains.SetMaximumVcpus(_domain, _config.MaximumVcpus));
        Step("memory", () => domains.SetMaximumMemory(_domain, _config.MaximumMemoryKib + SlackKiB));
        Step("tsc_mode", () => domains.SetTscMode(_domain, _config.TscMode));
        Step("the CPU policy", () =>
        {
            using CpuPolicy policy = _hypervisor.System.DefaultPolicy();
            domains.SetCpuPolicy(_domain, policy);
        });
        Step("cpus", SetAffinity);
        Step("cpu_weight and cpu_cap", SetShare);
        Step("the memory map", () => _hypervisor.Memory.SetMemoryMap(_domain, _config.MaximumMemoryKib * 1024));
    }

    /// <summary>Allocates and fills the memory, makes the rings, and sets the first virtual CPU up.</summary>
    public DomainRings Build(PvKernel kernel, ReadOnlySpan<byte> ramdisk)
    {
        ulong pages = _config.MemoryKib / 4;
        PvLayout layout = PvLayout.Plan(kernel, (ulong)ramdisk.Length, pages);
        ulong[] frames = Step("memory", () => Populate(pages));
        uint storePort = Step("the store's event channel", AllocatePort);
        uint consolePort = Step("the console's event channel", AllocatePort);
        ulong sharedInfo = (_hypervisor.Domains.TryGetInfo(_domain.Raw)
            ?? throw new ToolstackException($"domain {_domain.Raw} vanished while it was built")).SharedInfoFrame;
        StartParameters parameters = new()
        {
            Pages = pages,
            SharedInfoFrame = sharedInfo,
            StorePort = storePort,
            ConsolePort = consolePort,
            RamdiskSize = (ulong)ramdisk.Length,
            CommandLine = _config.CommandLine,
        };
        using GuestMemory memory = new(_hypervisor.Channel, _domain.Raw, frames);
        try
        {
            Progress.Report("copying kernel and RAM disk");
            PvImageWriter.Write(memory, kernel, layout, ramdisk, parameters);
        }
        catch (ToolstackException failure)
        {
            throw Failed("the guest's first memory contents", failure);
        }

        memory.Dispose();
        if (kernel.HypercallPage is { } page)
        {
            Step("the hypercall page", () => _hypervisor.Domains.InitialiseHypercallPage(_domain,
                frames[(page - kernel.VirtualBase) >> 12]));
        }

        DomainRings rings = new(frames[layout.StoreFrame], storePort, frames[layout.ConsoleFrame], consolePort);
        Step("the grant table", () => SeedGrants(rings));
        Step("the shared page", () => InitialiseSharedInfo(sharedInfo));
        Step("the page tables",
            () => _hypervisor.Mmu.PinTopLevel(_domain, frames[layout.KernelArea.TableFrame(4, 0)]));
        Step("the first virtual CPU", () => SetFirstVcpu(kernel, layout, memory));
        return rings;
    }

    private static ToolstackException Failed(string what, ToolstackException failure) =>
        new($"{what}: {failure.Message}", failure.Remedy, failure);

    private static void Step(string what, Action action)
    {
        try
        {
            action();
        }
        catch (ToolstackException failure)
        {
            throw Failed(what, failure);
        }
    }

    private static T Step<T>(string what, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ToolstackException failure)
        {
            throw Failed(what, failure);
        }
    }

    private void SetAffinity()
    {
        for (int vcpu = 0; vcpu < _config.MaximumVcpus; vcpu++)
        {
            if (!_config.Affinity[vcpu].Equals(CpuSet.All))
            {
                _hypervisor.Domains.SetAffinity(_domain, vcpu, _config.Affinity[vcpu]);
            }
        }
    }

    private void SetShare()
    {
        if (_config.Weight is null && _config.Cap is null)
        {
            return;
        }

        SchedulerId scheduler = _hypervisor.System.Scheduler();
        if (scheduler is not (SchedulerId.Credit or SchedulerId.Credit2))
        {
            throw new ToolstackException($"the scheduler in use ({scheduler}) has no weights",
                "Remove cpu_weight and cpu_cap from the configuration");
        }

        (int weight, int cap) = _hypervisor.Domains.GetShare(_domain, scheduler);
        _hypervisor.Domains.SetShare(_domain, scheduler, _config.Weight ?? weight, _config.Cap ?? cap);
    }

    /// <summary>A new port of the domain for Domain-0 to bind to.</summary>
    internal uint AllocatePort() => _hypervisor.Events.AllocateUnbound(_domain, default).Raw;

    /// <summary>
    /// Claims the whole amount first: either there is enough for all of it, or nothing is taken. Memory then comes in
    /// extents of 2 MiB while there are such, which spares the hypervisor 511 of 512 steps, and page by page after
    /// that.
    /// </summary>
    private ulong[] Populate(ulong pages)
    {
        try
        {
            _hypervisor.Memory.Claim(_domain, pages);
        }
        catch (XenException refused) when (refused.Errno == LibcErrno.NoMemory)
        {
            throw NotEnough(pages, refused);
        }
        catch (XenException unknown) when (unknown.Errno is LibcErrno.NotImplemented or LibcErrno.NotSupported)
        {
            // A hypervisor without claims still has memory; running out then shows below.
        }

        ulong[] frames = new ulong[pages];
        ulong done = PopulateSuperpages(frames);
        while (done < pages)
        {
            ReportMemory(done, pages);
            int count = (int)Math.Min(BatchExtents, pages - done);
            Span<ulong> batch = frames.AsSpan((int)done, count);
            for (int index = 0; index < count; index++)
            {
                batch[index] = done + (ulong)index;
            }

            int populated = _hypervisor.Memory.Populate(_domain, batch, 0);
            if (populated < count)
            {
                throw NotEnough(pages, new XenException(LibcErrno.NoMemory, "memory_op populate_physmap",
                    $"page {done + (ulong)populated} of {pages}"));
            }

            done += (ulong)count;
        }

        ReportMemory(pages, pages);
        _hypervisor.Memory.Claim(_domain, 0);
        return frames;
    }

    private static void ReportMemory(ulong done, ulong pages) => Progress.Report("taking memory", (long)done, (long)pages);

    private ulong PopulateSuperpages(ulong[] frames)
    {
        ulong[] batch = new ulong[BatchSuperpages];
        ulong done = 0;
        while ((ulong)frames.Length - done >= SuperpageFrames)
        {
            ReportMemory(done, (ulong)frames.Length);
            int count = (int)Math.Min(BatchSuperpages, ((ulong)frames.Length - done) / SuperpageFrames);
            for (int index = 0; index < count; index++)
            {
                batch[index] = done + ((ulong)index * SuperpageFrames);
            }

            int populated;
            try
            {
                populated = _hypervisor.Memory.Populate(_domain, batch.AsSpan(0, count), SuperpageOrder);
            }
            catch (XenException)
            {
                return done;
            }

            for (int index = 0; index < populated; index++)
            {
                for (int page = 0; page < SuperpageFrames; page++)
                {
                    frames[done++] = batch[index] + (ulong)page;
                }
            }

            if (populated < count)
            {
                return done;
            }
        }

        return done;
    }

    /// <summary>The error that says how much memory there is.</summary>
    internal ToolstackException NotEnough(ulong pages, XenException cause)
    {
        PhysicalInfo physical = _hypervisor.System.PhysicalInfo();
        ulong freeMiB = (physical.FreePages - Math.Min(physical.FreePages, physical.OutstandingPages)) / 256;
        ulong wantedMiB = pages / 256;
        ulong missingMiB = wantedMiB - Math.Min(wantedMiB, freeMiB);
        return new ToolstackException(
            $"{wantedMiB} MiB are wanted and {freeMiB} MiB are free, {missingMiB} MiB too few; of "
                + $"{physical.TotalPages / 256} MiB {WhoHasWhat()} ({cause.Message})",
            $"Set memory to less than {freeMiB}, or make room: xm mem-set Domain-0 SIZE, or xm destroy another domain",
            cause);
    }

    /// <summary>What each domain has, the largest first; the one under construction is left out.</summary>
    private string WhoHasWhat() => string.Join(", ", _hypervisor.System.ListDomains()
        .Where(info => info.Id != _domain.Raw)
        .OrderByDescending(info => info.MemoryKib)
        .Select(info => $"{NameOf(info.Id)} has {info.MemoryKib / 1024}")
        .DefaultIfEmpty("no domain has any"));

    /// <summary>The first entries of the grant table let Domain-0's daemons map the two rings.</summary>
    internal void SeedGrants(DomainRings rings)
    {
        if (rings.ConsoleFrame > uint.MaxValue || rings.StoreFrame > uint.MaxValue)
        {
            throw new ToolstackException("the rings lie beyond 16 TiB, which version 1 of the grant table cannot name");
        }

        using NativeRegion table = _hypervisor.Channel.MapResource(
            _domain.Raw, (uint)MemoryResource.GrantTable, (uint)GrantTableResource.Shared, 0, 1);
        Span<GrantEntryV1> entries = table.As<GrantEntryV1>();
        Seed(ref entries[(int)ReservedGrant.ReservedConsole], rings.ConsoleFrame);
        Seed(ref entries[(int)ReservedGrant.ReservedXenStore], rings.StoreFrame);
    }

    private static void Seed(ref GrantEntryV1 entry, ulong frame)
    {
        entry.Domid = default;
        entry.Frame = (uint)frame;
        System.Threading.Volatile.Write(ref entry.Flags, GrantEntryFlags.PermitAccess);
    }

    /// <summary>No virtual CPU takes events before its kernel has said where to.</summary>
    private void InitialiseSharedInfo(ulong frame)
    {
        using NativeRegion page = _hypervisor.Channel.MapFrames(_domain.Raw, [frame]);
        foreach (ref VcpuInfo vcpu in page.As<VcpuInfo>()[..VcpuLimits.LegacyMaxVcpus])
        {
            vcpu.EventChannelUpcallMask = 1;
        }
    }

    private void SetFirstVcpu(PvKernel kernel, PvLayout layout, IGuestFrames memory)
    {
        using NativeRegion context = _hypervisor.Channel.Allocate(Unsafe.SizeOf<VcpuGuestContext>());
        VcpuContextWriter.Fill(ref context.Value<VcpuGuestContext>(), kernel, layout, memory);
        _hypervisor.Domains.SetVcpuContext(_domain, 0, context);
    }
}
