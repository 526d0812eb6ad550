// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;

namespace Dom0.Xend.Autostart;

/// <summary>Starts the host's domains when the host starts, and ends them in order when it stops.</summary>
internal static class AutostartRole
{
    private const string Folder = "/etc/xen/auto";
    private const int ConnectMilliseconds = 30_000;
    private const int StopMilliseconds = 120_000;
    private const int PollMilliseconds = 250;

    /// <summary>Creates what /etc/xen/auto describes; one that cannot be created does not keep the others back.</summary>
    public static int Start(TextWriter output, TextWriter errors)
    {
        using XendClient client = Connect();
        int status = 0;
        string[] files = Directory.Exists(Folder) ? Directory.GetFiles(Folder) : [];
        foreach (string file in files.Where(name => !Path.GetFileName(name).StartsWith('.')).Order(StringComparer.Ordinal))
        {
            status |= Try(errors, file, () =>
            {
                DomainConfig config = DomainConfigReader.Read(
                    ConfigInterpreter.EvaluateFile(file, new Dictionary<string, string>()),
                    out IReadOnlyList<string> warnings);
                foreach (string warning in warnings)
                {
                    errors.WriteLine($"Warning: {warning}.");
                }

                DomainReference started = client.Call("domain.create", new CreateParameters(config, Paused: false),
                    ApiJson.Default.CreateParameters, ApiJson.Default.DomainReference);
                output.WriteLine($"Started domain {started.Name} (id={started.Id})");
            });
        }

        foreach (ManagedDomain definition in client.Call("domain.list", ApiJson.Default.IReadOnlyListManagedDomain)
            .Where(domain => domain is { IsManaged: true, Domid: null, Config.StartsWithHost: true }))
        {
            status |= Try(errors, definition.Name, () =>
            {
                DomainReference started = client.Call("managed.start", new StartParameters(definition.Name, false),
                    ApiJson.Default.StartParameters, ApiJson.Default.DomainReference);
                output.WriteLine($"Started domain {started.Name} (id={started.Id})");
            });
        }

        return status;
    }

    /// <summary>
    /// Asks every guest to power off, and destroys what is left when the time is up. It works without the daemon, which
    /// may be gone by then.
    /// </summary>
    public static int Stop(TextWriter output, TextWriter errors)
    {
        using Privcmd channel = Privcmd.Open();
        using Hypervisor hypervisor = new(channel);
        using StoreClient store = StoreClient.Connect();
        using XendClient? client = XendClient.TryConnect();
        _ = client?.Call("host.stops", ApiJson.Default.DaemonStatus);
        int status = 0;
        foreach (DomainInfo guest in Guests(hypervisor))
        {
            status |= Try(errors, $"domain {guest.Id}",
                () => store.Write($"{StoreEntries.DomainPath(guest.Id)}/control/shutdown", "poweroff"));
        }

        long deadline = Environment.TickCount64 + StopMilliseconds;
        while (Environment.TickCount64 < deadline
            && Guests(hypervisor).Any(guest => guest is { IsShutdown: false, IsDying: false, IsPaused: false }))
        {
            Thread.Sleep(PollMilliseconds);
        }

        DomainDirectory directory = new(hypervisor, () => store);
        foreach (DomainInfo guest in Guests(hypervisor).Where(guest => !guest.IsDying))
        {
            DomainReference domain = new(guest.Id, directory.NameOf(guest.Id));
            output.WriteLine(guest.IsShutdown
                ? $"{domain.Name} has stopped"
                : $"{domain.Name} did not stop within {StopMilliseconds / 1000} s and is destroyed");
            status |= Try(errors, domain.Name, () =>
            {
                try
                {
                    Destroy(client, hypervisor, store, domain);
                }
                catch (ToolstackException) when (IsGone(hypervisor, guest))
                {
                    // The daemon looks after its domains at the same time, and was quicker.
                }
            });
        }

        return status;
    }

    private static void Destroy(XendClient? client, Hypervisor hypervisor, StoreClient store, DomainReference domain)
    {
        if (client is not null)
        {
            _ = client.Call("domain.destroy", new DomainParameters($"{domain.Id}"), ApiJson.Default.DomainParameters,
                ApiJson.Default.DomainReference);
        }
        else
        {
            DomainDestroyer.Destroy(hypervisor, store, domain);
        }
    }

    private static bool IsGone(Hypervisor hypervisor, DomainInfo guest) =>
        !Guests(hypervisor).Any(left => left.Id == guest.Id && left.Uuid == guest.Uuid && !left.IsDying);

    private static IEnumerable<DomainInfo> Guests(Hypervisor hypervisor) =>
        hypervisor.System.ListDomains().Where(info => info.Id != 0);

    private static XendClient Connect()
    {
        long deadline = Environment.TickCount64 + ConnectMilliseconds;
        while (true)
        {
            if (XendClient.TryConnect() is { } client)
            {
                return client;
            }

            if (Environment.TickCount64 > deadline)
            {
                throw new ToolstackException("xend does not run", "Start it, and see 'xend status'");
            }

            Thread.Sleep(PollMilliseconds);
        }
    }

    private static int Try(TextWriter errors, string what, Action action)
    {
        try
        {
            action();
            return 0;
        }
        catch (ToolstackException failure)
        {
            errors.WriteLine($"Error: {what}: {failure.Describe()}");
            return 1;
        }
    }
}
