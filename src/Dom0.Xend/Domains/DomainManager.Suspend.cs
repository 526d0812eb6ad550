// SPDX-License-Identifier: MIT
//
// A registered domain can be suspended: its state goes to a file of the daemon's, and it is off until it is resumed.
// There is always exactly one of the two, the domain or a file that counts: while the record says "suspending" the
// domain counts until the whole file is in its place, and when the domain is back the file goes before it runs.
using System;
using System.IO;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Xen.Abi;

namespace Dom0.Xend.Domains;

internal sealed partial class DomainManager
{
    /// <summary>Saves a registered domain to the daemon's own file, and ends it.</summary>
    /// <exception cref="ToolstackException">It runs on.</exception>
    public ManagedDomain Suspend(string nameOrId)
    {
        DomainReference domain = FindFree(nameOrId);
        if (RecordOf(domain.Id) is not { } record || Defined.Find(record.Uuid) is not { } definition)
        {
            throw new ToolstackException($"the domain '{domain.Name}' is not registered with xend, so it has no place "
                + "for its state", $"Save it to a file of yours: xm save {domain.Name} FILE");
        }

        Hold(record.Uuid, () =>
        {
            Running.Save(record with { Phase = DomainPhase.Suspending });
            try
            {
                _ = _services.Turn.GiveUpFor(() => Guard(record.Uuid, path => _services.Suspend(domain, path)));
            }
            catch (ToolstackException)
            {
                Running.Save(record);
                throw;
            }

            _services.Log($"suspended '{record.Name}', number {domain.Id}");
            Finish(record, "suspended", "suspend");
        });
        return Describe(definition);
    }

    /// <summary>Brings a suspended domain back, and lets it run unless it is to stay paused.</summary>
    /// <exception cref="ToolstackException">It is suspended still.</exception>
    public DomainReference Resume(string name, bool paused)
    {
        DomainRecord definition = FindDefinition(name);
        if (Running.Find(definition.Uuid) is { } running)
        {
            throw new ToolstackException($"the domain '{name}' is there already" + NumberOf(running));
        }

        string path = StatePath(definition.Uuid);
        if (!File.Exists(path))
        {
            throw new ToolstackException($"the domain '{name}' is not suspended", $"Start it: xm start {name}");
        }

        DomainReference? resumed = null;
        Hold(definition.Uuid, () =>
        {
            DomainRecord record = definition with { Phase = DomainPhase.Building };
            try
            {
                Running.Save(record);
                DomainReference built = _services.Turn.GiveUpFor(() => _services.Restore(path));
                DomainConfig live = _services.ReadLive(built);
                record = record with
                {
                    Domid = built.Id,
                    Phase = paused ? DomainPhase.Running : DomainPhase.Starting,
                    Config = definition.Config with
                    {
                        MemoryKib = live.MemoryKib,
                        MaximumMemoryKib = live.MaximumMemoryKib,
                        Disks = live.Disks,
                        Vifs = live.Vifs,
                    },
                };
                if (built.Name != record.Name)
                {
                    // Renamed while it was off.
                    WriteName(built.Id, record.Name);
                }

                Running.Save(record);
                OpenConsole(record);
                Publish("created", built.Id, record.Name, record.Uuid);
            }
            catch (ToolstackException failure)
            {
                _services.Log($"resuming '{record.Name}' failed: {failure.Message}");
                Abandon(record);
                throw;
            }

            ForgetState(record.Uuid);
            _services.Log($"resumed '{record.Name}', number {record.Domid}");
            resumed = new DomainReference(record.Domid.Value, record.Name);
            if (!paused)
            {
                _ = LetRun(record);
            }
        });
        return resumed!;
    }

    /// <summary>Where the state of a suspended domain is.</summary>
    private string StatePath(Guid uuid) => Path.Combine(_services.States, $"{uuid:D}.save");

    private bool IsSuspended(Guid uuid) => File.Exists(StatePath(uuid));

    /// <summary>An earlier daemon was killed while it saved the domain: it is off if the file is whole, and goes on if not.</summary>
    private void CompleteSuspension(DomainRecord record)
    {
        if (IsSuspended(record.Uuid))
        {
            Finish(record, "suspended", "suspend");
            return;
        }

        if (record.Domid is { } domid && InfoOf(domid) is { IsShutdown: true, IsDying: false } info
            && info.Uuid == record.Uuid && info.Reason == ShutdownReason.Suspend)
        {
            _services.GoOn(new DomainReference(domid, record.Name));
            _services.Log($"'{record.Name}' was being suspended when xend ended: it goes on");
        }

        ForgetState(record.Uuid);
        Running.Save(record with { Phase = DomainPhase.Running });
    }

    /// <summary>Removes state that a domain which is there has left behind it; it would be wrong by now.</summary>
    private void ForgetState(Guid uuid) => Guard(uuid, path =>
    {
        File.Delete(path);
        foreach (string draft in Directory.GetFiles(_services.States, $"{uuid:D}.save.*"))
        {
            File.Delete(draft);
        }
    });

    private bool Guard(Guid uuid, Action<string> action)
    {
        try
        {
            _ = Directory.CreateDirectory(_services.States,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            action(StatePath(uuid));
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ToolstackException($"the states of suspended domains in {_services.States}: {failure.Message}",
                "Make room there, and check that xend runs as root", failure);
        }
    }
}
