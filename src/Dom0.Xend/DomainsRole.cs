// SPDX-License-Identifier: MIT
using System;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Migration;
using Dom0.Toolstack.Store;
using Dom0.Xend.Api;
using Dom0.Xend.Backends;
using Dom0.Xend.Consoles;
using Dom0.Xend.Domains;
using Dom0.Xend.Supervisor;

namespace Dom0.Xend;

/// <summary>The process that keeps domains and consoles and serves the interface.</summary>
internal static class DomainsRole
{
    private const int StoreMilliseconds = 30_000;
    private const int RetryMilliseconds = 100;

    /// <summary>Runs until the process is ended.</summary>
    /// <exception cref="ToolstackException">It cannot start, or runs already.</exception>
    public static int Run()
    {
        XendLog file = new(Places.Log, "domains");
        Action<string> log = file.Write;
        _ = Libc.Signal(Libc.PipeSignal, Libc.IgnoreSignal);
        Places.MakeRunFolder();
        using RoleLock held = RoleLock.TryTake(Places.LockOf("domains"))
            ?? throw new ToolstackException("another xend keeps the domains already", "See 'xend status'");

        // Each thread has its own way to the hypervisor and to the store.
        Hypervisor hypervisor = new(Privcmd.Open());
        StoreClient store = ConnectToStore();
        StoreEntries.WriteDomain0(store);
        EventHub events = new(TimeProvider.System);
        ConsoleService consoles = new(new ConsoleFolders(Places.ConsoleLogs, Places.ConsoleStates), Privcmd.Open(),
            EventDevice.Open(), log);
        Turn turn = new();
        EnduringDevices devices = new(new RemoteDevices(Places.Backends), Thread.Sleep, log);
        DomainManager manager = new(new DomainServices
        {
            Hypervisor = hypervisor,
            Store = store,
            Running = new RecordStore(Places.Records, log),
            Defined = new RecordStore(Places.Definitions, log),
            Consoles = consoles,
            Events = events,
            Load = BootFiles.Load,
            Build = (config, files, service) => Build(new DomainCreator(hypervisor, store, service), config, files),
            Devices = devices,
            ReadLive = domain => LiveConfig.Read(hypervisor, store, domain).Config.Config,
            Dump = Dump,
            States = Places.States,
            Suspend = Suspend,
            GoOn = domain => new Suspension(hypervisor, store, domain).Resume(),
            Restore = path => Restore(devices, path),
            Turn = turn,
            Begin = action => DomainWorker.Begin(turn, action),
            Clock = TimeProvider.System,
            Log = log,
        });
        using DomainWorker worker = new(manager, turn, log);
        DomainWatcher watcher = new(
            new Hypervisor(Privcmd.Open()), ConnectToStore(), consoles, worker, log);
        consoles.Start();
        worker.Start();

        // The interface opens when recovery is over: nobody sees a half-read state.
        _ = worker.Run(recovered => recovered.List().Count);
        watcher.Start();
        log("serves domains and consoles");
        ApiMethods methods = new(worker, consoles, events, log);
        new ApiServer(XendClient.Path, socket => new ApiConnection(socket, methods), log).Run();
        return 0;
    }

    /// <summary>Kernel and ramdisk lay in memory for a moment; Domain-0 gets it back at once.</summary>
    private static DomainReference Build(DomainCreator creator, DomainConfig config, BootFiles files)
    {
        try
        {
            return creator.Create(config, files);
        }
        finally
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }

    /// <summary>Other threads use the daemon's way to the hypervisor meanwhile, so the dump has its own.</summary>
    private static DumpResult Dump(DomainReference domain, string path, bool isLive)
    {
        using Privcmd channel = Privcmd.Open();
        using Hypervisor hypervisor = new(channel);
        return DomainDumper.Dump(hypervisor, domain, path, isLive);
    }

    /// <summary>The domain is not destroyed here: its record says what is due when the file is whole.</summary>
    private static void Suspend(DomainReference domain, string path)
    {
        using Privcmd channel = Privcmd.Open();
        using Hypervisor hypervisor = new(channel);
        using StoreClient store = StoreClient.ConnectForLong();
        _ = new DomainSaver(hypervisor, store)
        {
            Destroyer = _ => { },
            Progress = progress => Progress.Report("writing its memory", progress.Done, progress.Total),
        }.Save(domain, path, keepsRunning: false);
    }

    private static DomainReference Restore(IDeviceService devices, string path)
    {
        using Privcmd channel = Privcmd.Open();
        using Hypervisor hypervisor = new(channel);
        using StoreClient store = StoreClient.ConnectForLong();
        TransferReport report = new DomainRestorer(hypervisor, store, devices)
        {
            Progress = progress => Progress.Report("reading its memory", progress.Done, progress.Total),
        }.Restore(path);
        return new DomainReference(report.DomainId, report.Name);
    }

    /// <summary>The store's process is started at the same moment and needs a little longer.</summary>
    private static StoreClient ConnectToStore()
    {
        long deadline = Environment.TickCount64 + StoreMilliseconds;
        while (true)
        {
            try
            {
                return StoreClient.ConnectForLong();
            }
            catch (ToolstackException) when (Environment.TickCount64 < deadline)
            {
                Thread.Sleep(RetryMilliseconds);
            }
        }
    }
}
