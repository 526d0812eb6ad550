// SPDX-License-Identifier: MIT
//
// Two passes over the file. The first believes nothing and creates nothing (SavedDomainChecker). The second builds the
// domain, and reads the file as carefully: somebody may have written to it in between. Whatever fails then, the domain is
// destroyed again.
//
// Order matters. All memory is there before the first page is written, since page tables name frames that come later. The
// list of machine frames, the start-up page and the shared page are made new. Nothing is mapped here any more when page
// tables are pinned, because a frame that somebody can write to cannot become one; and virtual CPUs come last, because
// their page tables have to be pinned.
using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using System.Threading;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Builds domains from files.</summary>
public sealed class DomainRestorer
{
    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _store;
    private readonly IDeviceService _devices;

    /// <summary>Restores to <paramref name="hypervisor"/>.</summary>
    public DomainRestorer(Hypervisor hypervisor, StoreClient store)
        : this(hypervisor, store, new DeviceManager(store))
    {
    }

    /// <summary>As the other, with devices from <paramref name="devices"/>.</summary>
    public DomainRestorer(Hypervisor hypervisor, StoreClient store, IDeviceService devices)
    {
        _hypervisor = hypervisor;
        _store = store;
        _devices = devices;
    }

    /// <summary>Where commands under way are noted.</summary>
    public string ClaimFolder { get; init; } = TransferClaim.Folder;

    /// <summary>Takes the finished domain over, before this command gives up its right to it.</summary>
    public Action<DomainReference>? Keeper { get; init; }

    /// <summary>Is told how far the command has come.</summary>
    public Action<TransferProgress>? Progress { get; init; }

    /// <summary>Restores the domain in a file, and leaves it paused.</summary>
    /// <exception cref="SaveFileException">The file cannot be restored; nothing was created.</exception>
    /// <exception cref="ToolstackException">The domain cannot be built; nothing of it is left.</exception>
    public TransferReport Restore(string path, CancellationToken cancellation = default)
    {
        long start = Stopwatch.GetTimestamp();
        using FileStream stream = FileFailures.Open(path);
        try
        {
            SavedDomain saved = SavedDomainChecker.Check(stream, path);
            DomainReference domain = Restore(saved, new SaveFileReader(stream, path), cancellation);
            return new TransferReport(path, domain.Id, domain.Name, stream.Length,
                Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        catch (Exception failure) when (FileFailures.IsOne(failure))
        {
            throw new ToolstackException($"reading {path}: {FileFailures.Describe(failure)}", null, failure);
        }
        catch (OperationCanceledException)
        {
            throw new ToolstackException("interrupted; nothing of the domain is left");
        }
    }

    private DomainReference Restore(SavedDomain saved, SaveFileReader reader, CancellationToken cancellation)
    {
        DomainConfig config = saved.Opening.Config.Config;
        DomainCreator creator = new(_hypervisor, _store, _devices);
        creator.RefuseTakenName(config.Name);
        RefuseTakenIdentity(config);
        using TransferClaim claim = TransferClaim.Take(
            new AbandonedTransfer(config.Uuid, IsSave: false, config.Name, ""), ClaimFolder);
        DomainReference restored = Build(creator, saved, reader, cancellation);
        Keeper?.Invoke(restored);
        return restored;
    }

    private void RefuseTakenIdentity(DomainConfig config)
    {
        foreach (DomainInfo info in _hypervisor.System.ListDomains())
        {
            if (info.Uuid == config.Uuid)
            {
                throw new ToolstackException(
                    $"uuid: the domain {info.Id} is the one in the file ({config.Uuid}), under another name",
                    $"End that one first: xm destroy {info.Id}");
            }
        }
    }

    private DomainReference Build(
        DomainCreator creator, SavedDomain saved, SaveFileReader reader, CancellationToken cancellation)
    {
        DomainConfig config = saved.Opening.Config.Config;
        DomId domain = creator.CreateEmpty(config);
        try
        {
            PvDomainBuilder builder = new(_hypervisor, domain, config)
            {
                NameOf = new DomainDirectory(_hypervisor, () => _store).NameOf,
            };
            builder.Configure();
            creator.JoinPool(domain, config);
            if (saved.Leaves.Length > 0)
            {
                using CpuPolicy policy = _hypervisor.States.LoadCpuPolicy(saved.Leaves, saved.PolicyMsrs);
                Step("what CPUID told the guest", () => _hypervisor.Domains.SetCpuPolicy(domain, policy));
            }

            RestoredMemory memory = new(_hypervisor, domain, saved);
            Step("memory", () => memory.Populate(builder));
            memory.Fill(reader, Progress, cancellation);
            DomainRings rings = Step("the rings", () => RestoreRings(builder, memory, saved, domain));
            Step("the page tables", memory.Pin);
            RestoreVcpus(domain, saved, memory);
            StoreEntries.Write(_store, domain.Raw, config, saved.Opening.Config.GuestOs, rings);
            foreach (string request in saved.Opening.Config.Requests)
            {
                _store.Write($"{StoreEntries.DomainPath(domain.Raw)}/control/feature-{request}", "1");
            }

            _store.Introduce(domain.Raw, rings.StoreFrame, rings.StorePort);

            // The guest's drivers look for new back ends as soon as it runs.
            _devices.AttachAll(domain.Raw, config);
            return new DomainReference(domain.Raw, config.Name);
        }
        catch
        {
            creator.Undo(domain);
            throw;
        }
    }

    private DomainRings RestoreRings(PvDomainBuilder builder, RestoredMemory memory, SavedDomain saved, DomId domain)
    {
        DomainRings rings = new(memory.MachineFrame(saved.StoreFrame), builder.AllocatePort(),
            memory.MachineFrame(saved.ConsoleFrame), builder.AllocatePort());
        ulong sharedInfo = (_hypervisor.Domains.TryGetInfo(domain.Raw)
            ?? throw new ToolstackException($"domain {domain.Raw} vanished while it was built")).SharedInfoFrame;
        memory.WriteStartInfo(rings, sharedInfo);
        memory.WriteSharedInfo(sharedInfo);
        builder.SeedGrants(rings);
        return rings;
    }

    private void RestoreVcpus(DomId domain, SavedDomain saved, RestoredMemory memory)
    {
        StateControl states = _hypervisor.States;
        foreach ((int number, SavedVcpu vcpu) in saved.Vcpus)
        {
            Step($"virtual CPU {number}", () =>
            {
                byte[] registers = [.. vcpu.Registers];
                SavedRegisters.ToMachineFrames(registers, memory.MachineFrame);
                if (number == 0)
                {
                    SavedRegisters.SetStartInfoFrame(registers, memory.MachineFrame(saved.StartInfoFrame));
                }

                states.SetVcpu(domain, number, registers);
                if (vcpu.Extended.Length > 0)
                {
                    ReadOnlySpan<byte> extended = vcpu.Extended;
                    states.SetExtended(domain, number,
                        extended[..Math.Min(extended.Length, SaveFileLayout.ExtendedSize)]);
                }

                if (vcpu.Vectors.Length > 0)
                {
                    states.SetVectors(domain, number, vcpu.Vectors);
                }

                if (vcpu.Msrs.Length > 0)
                {
                    states.SetMsrs(domain, number, vcpu.Msrs);
                }
            });
        }

        if (saved.Tsc is { } tsc)
        {
            Step("the time stamp counter", () => states.SetTsc(domain, tsc));
        }
    }

    private static void Step(string what, Action action) => Step(what, () =>
    {
        action();
        return true;
    });

    private static T Step<T>(string what, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (ToolstackException failure) when (failure is not SaveFileException)
        {
            throw new ToolstackException($"{what}: {failure.Message}", failure.Remedy, failure);
        }
    }
}
