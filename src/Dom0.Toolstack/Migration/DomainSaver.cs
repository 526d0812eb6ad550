// SPDX-License-Identifier: MIT
//
// The file grows under another name beside its place and moves there when all of it is on the disk: whatever stops the
// command, a file with the wanted name is whole. The guest is destroyed only after that. Until then every failure ends
// with the guest running on where it stopped.
using System;
using System.Diagnostics;
using System.IO;
using System.Threading;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Dom0.Toolstack.Migration;

/// <summary>Writes domains to files.</summary>
public sealed class DomainSaver
{
    /// <summary>How the name of an unfinished file ends.</summary>
    internal const string DraftSuffix = ".part";

    private readonly Hypervisor _hypervisor;
    private readonly StoreClient _store;

    /// <summary>Saves domains of <paramref name="hypervisor"/>.</summary>
    public DomainSaver(Hypervisor hypervisor, StoreClient store)
    {
        _hypervisor = hypervisor;
        _store = store;
    }

    /// <summary>How long the guest may take for each step of suspending itself.</summary>
    public TimeSpan SuspendLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How a saved domain is destroyed.</summary>
    public Action<DomainReference>? Destroyer { get; init; }

    /// <summary>Where commands under way are noted.</summary>
    public string ClaimFolder { get; init; } = TransferClaim.Folder;

    /// <summary>Is told how far the command has come.</summary>
    public Action<TransferProgress>? Progress { get; init; }

    /// <summary>
    /// Saves a domain, and destroys it unless <paramref name="keepsRunning"/> says that it goes on.
    /// </summary>
    /// <exception cref="ToolstackException">It runs on, and there is no file.</exception>
    public TransferReport Save(
        DomainReference domain, string path, bool keepsRunning, CancellationToken cancellation = default)
    {
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 cannot be saved: it runs this command");
        }

        (SavedConfig config, int vcpus) = LiveConfig.Read(_hypervisor, _store, domain);
        byte[] json = SavedConfig.Write(config.Config, config.GuestOs, config.Requests);
        try
        {
            _ = SavedConfig.Parse(json);
        }
        catch (FormatException wrong)
        {
            throw new ToolstackException($"'{domain.Name}' could not be restored with its configuration: {wrong.Message}");
        }

        long start = Stopwatch.GetTimestamp();
        string draft = $"{path}.{Environment.ProcessId}{DraftSuffix}";
        using TransferClaim claim = TransferClaim.Take(
            new AbandonedTransfer(config.Config.Uuid, IsSave: true, domain.Name, draft), ClaimFolder);
        Suspension suspension = new(_hypervisor, _store, domain);
        bool isSuspended = false;
        long size;
        try
        {
            using (FileStream stream = OpenDraft(path, draft))
            {
                suspension.Suspend(SuspendLimit, cancellation);
                isSuspended = true;
                SaveFileWriter writer = new(stream);
                (int major, int minor) = _hypervisor.Version.Version();
                writer.WriteOpening(json, major, minor);
                _ = new DomainImageWriter(_hypervisor, new DomId((ushort)domain.Id), writer, Progress)
                    .Write(vcpus, cancellation);
                writer.Finish();
                stream.Flush(flushToDisk: true);
                size = writer.Length;
            }

            File.Move(draft, path, overwrite: true);
        }
        catch (Exception failure)
        {
            FileFailures.TryDelete(draft);
            ToolstackException told = failure switch
            {
                OperationCanceledException => new ToolstackException("interrupted"),
                ToolstackException known => known,
                _ when FileFailures.IsOne(failure) =>
                    new ToolstackException($"writing {path}: {FileFailures.Describe(failure)}", null, failure),
                _ => new ToolstackException($"saving failed unexpectedly: {failure.Message}", null, failure),
            };
            throw isSuspended ? ResumeAfter(suspension, domain, told) : told;
        }

        if (keepsRunning)
        {
            ResumeAfterSuccess(suspension, domain, path);
        }
        else
        {
            DestroyAfterSuccess(domain, path);
        }

        return new TransferReport(path, domain.Id, domain.Name, size, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private static FileStream OpenDraft(string path, string draft)
    {
        if (Directory.Exists(path) || (File.Exists(path) && (File.GetAttributes(path) & FileAttributes.Device) != 0))
        {
            throw new ToolstackException($"{path} is no ordinary file", "Name a file that may be made or replaced");
        }

        return new FileStream(draft, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
    }

    private static ToolstackException ResumeAfter(Suspension suspension, DomainReference domain, ToolstackException failure)
    {
        try
        {
            suspension.Resume();
            return new ToolstackException($"{failure.Message}; '{domain.Name}' runs on", failure.Remedy, failure);
        }
        catch (ToolstackException second)
        {
            return new ToolstackException(
                $"{failure.Message}; and '{domain.Name}' could not be let go on: {second.Message}",
                $"Try again to save it (it is suspended), or end it: xm destroy {domain.Name}", failure);
        }
    }

    private void DestroyAfterSuccess(DomainReference domain, string path)
    {
        try
        {
            if (Destroyer is null)
            {
                DomainDestroyer.Destroy(_hypervisor, _store, domain);
            }
            else
            {
                Destroyer(domain);
            }
        }
        catch (ToolstackException failure)
        {
            throw new ToolstackException(
                $"'{domain.Name}' was saved to {path}, and could not be destroyed: {failure.Message}",
                $"End it before it is restored: xm destroy {domain.Id}", failure);
        }
    }

    private static void ResumeAfterSuccess(Suspension suspension, DomainReference domain, string path)
    {
        try
        {
            suspension.Resume();
        }
        catch (ToolstackException failure)
        {
            throw new ToolstackException(
                $"'{domain.Name}' was saved to {path}, and could not be let go on: {failure.Message}",
                $"End it and restore it from the file: xm destroy {domain.Name}; xm restore {path}", failure);
        }
    }
}
