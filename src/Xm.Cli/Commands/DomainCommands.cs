// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class DomainCommands
{
    private const int HeldMilliseconds = 1000;

    public static int Destroy(CommandContext context)
    {
        DomainReference domain = context.Domain();
        DestroyNow(context, domain);
        TellOfHeldMemory(context, domain);
        return context.Done(domain);
    }

    /// <summary>Says so where somebody goes on using memory of a domain that has ended.</summary>
    private static void TellOfHeldMemory(CommandContext context, DomainReference domain)
    {
        // Consoles and back ends let go when they hear of the end, which is soon.
        long start = Environment.TickCount64;
        DomainInfo? left = context.Hypervisor.Domains.TryGetInfo(domain.Id);
        while (left is { IsDying: true } && Environment.TickCount64 - start < HeldMilliseconds)
        {
            Thread.Sleep(HeldMilliseconds / 20);
            left = context.Hypervisor.Domains.TryGetInfo(domain.Id);
        }

        if (left is { IsDying: true })
        {
            context.Errors.WriteLine($"Warning: '{domain.Name}' has ended, but {left.MemoryKib} KiB of its memory are still in "
                + "use: a back end or another program of Domain-0 has it mapped. They come back when that lets go; until "
                + "then 'xm list' shows the domain as dying.");
        }
    }

    /// <summary>Ends a domain by the daemon, which has its console open and its record; without one, directly.</summary>
    public static void DestroyNow(CommandContext context, DomainReference domain)
    {
        if (domain.Id != 0 && context.Daemon is { } daemon)
        {
            _ = daemon.Call("domain.destroy", new DomainParameters($"{domain.Id}"), ApiJson.Default.DomainParameters,
                ApiJson.Default.DomainReference);
            return;
        }

        DomainDestroyer.Destroy(context.Hypervisor, context.Store, domain,
            complaint => context.Errors.WriteLine($"Warning: {complaint}."));
    }

    /// <summary>Asks the daemon to look after a domain that this program built; without one, nobody does.</summary>
    public static void HandOver(CommandContext context, DomainReference domain)
    {
        try
        {
            _ = context.RequireDaemon("looks after domains").Call("domain.adopt", new DomainParameters($"{domain.Id}"),
                ApiJson.Default.DomainParameters, ApiJson.Default.DomainReference);
        }
        catch (ToolstackException failure)
        {
            // The domain is there and can run; what is lost is what its configuration says about its end.
            context.Errors.WriteLine($"Warning: nobody acts when '{domain.Name}' stops: {failure.Message}.");
        }
    }

    /// <summary>Lets a domain run, by the daemon if there is one, so that it tells others.</summary>
    public static void UnpauseNow(CommandContext context, DomainReference domain)
    {
        if (domain.Id != 0 && context.Daemon is { } daemon)
        {
            _ = daemon.Call("domain.unpause", new DomainParameters($"{domain.Id}"), ApiJson.Default.DomainParameters,
                ApiJson.Default.DomainReference);
            return;
        }

        context.Hypervisor.Domains.Unpause(new DomId((ushort)domain.Id));
    }

    /// <summary>Writes a domain's memory to a file.</summary>
    public static int Dump(CommandContext context)
    {
        DomainReference domain = context.Domain();
        string file = context.Arguments.Positional.Count > 1
            ? context.Arguments.Positional[1]
            : DomainDumper.DefaultPath(domain.Name, DateTimeOffset.UtcNow);
        DumpResult result = context.ShowSteps($"Dumping {domain.Name}",
            _ => DomainDumper.Dump(context.Hypervisor, domain, file, context.Arguments.Has("live")));
        if (context.Arguments.Has("crash"))
        {
            DestroyNow(context, domain);
        }
        else if (context.Arguments.Has("reset"))
        {
            context.Store.Write($"{StoreEntries.DomainPath(domain.Id)}/control/shutdown", "reboot");
        }

        return context.Report(result, ApiJson.Default.DumpResult,
            dump => context.Output.WriteLine($"Dumped {dump.Pages} pages of {domain.Name} to {dump.File}"));
    }

    public static int DumpForGdb(CommandContext context)
    {
        GdbCoreResult result = GdbCore.Convert(
            context.Arguments.Positional[0], Path.GetFullPath(context.Arguments.Positional[1]));
        if (!result.IsWhole)
        {
            context.Errors.WriteLine("Warning: its page tables map more than a core file can have; the rest is left out.");
        }

        return context.Report(result, XmJson.Default.GdbCoreResult, core => context.Output.WriteLine(
            $"Made {core.File}: {core.Vcpus} virtual CPUs, {core.Segments} segments"
            + (core.Repeated == 0 ? "" : $"; without {core.Repeated} more addresses of pages that are at several already")));
    }

    public static int Pause(CommandContext context)
    {
        DomainReference domain = context.Domain();
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 cannot be paused: it runs this command");
        }

        context.Hypervisor.Domains.Pause(new DomId((ushort)domain.Id));
        return context.Done(domain);
    }

    public static int Unpause(CommandContext context)
    {
        DomainReference domain = context.Domain();
        UnpauseNow(context, domain);
        return context.Done(domain);
    }

    public static int Rename(CommandContext context)
    {
        string name = context.Arguments.Positional[1];
        if (!DomainConfigCheck.IsName(name))
        {
            throw new UsageException(
                $"'{name}' cannot name a domain: names are printable, without spaces and slashes, and not just digits");
        }

        if (context.Daemon is { } daemon)
        {
            return context.Done(daemon.Call("domain.rename", new RenameParameters(context.Arguments.Positional[0], name),
                ApiJson.Default.RenameParameters, ApiJson.Default.DomainReference));
        }

        DomainReference domain = context.Domain();

        foreach (DomainInfo other in context.Hypervisor.System.ListDomains())
        {
            if (other.Id != domain.Id && context.Domains.NameOf(other.Id) == name)
            {
                throw new ToolstackException($"there is a domain '{name}' already, number {other.Id}",
                    "Choose another name");
            }
        }

        string path = StoreEntries.DomainPath(domain.Id);
        StoreClient store = context.Store;
        store.Write($"{path}/name", name);
        if (store.TryRead($"{path}/vm") is { Length: > 0 } vm)
        {
            store.Write($"{vm}/name", name);
        }

        return context.Done(domain with { Name = name });
    }

    public static int SysRq(CommandContext context)
    {
        DomainReference domain = context.Domain();
        string letter = context.Arguments.Positional[1];
        if (letter.Length != 1 || !char.IsAscii(letter[0]))
        {
            throw new UsageException($"LETTER is one character, not '{letter}'");
        }

        context.Store.Write($"{StoreEntries.DomainPath(domain.Id)}/control/sysrq", letter);
        return context.Done(domain);
    }

    public static int Trigger(CommandContext context)
    {
        DomainReference domain = context.Domain();
        TriggerType trigger = context.Arguments.Positional[1] switch
        {
            "nmi" => TriggerType.Nmi,
            "reset" => TriggerType.Reset,
            "init" => TriggerType.Init,
            "power" => TriggerType.Power,
            "sleep" or "s3resume" => TriggerType.Sleep,
            { } other =>
                throw new UsageException($"the signals are nmi, reset, init, power and s3resume, not '{other}'"),
        };
        int vcpu = context.Arguments.Positional.Count > 2 ? context.Number(2, "VCPU", 0, 4095) : 0;
        context.Hypervisor.Domains.SendTrigger(new DomId((ushort)domain.Id), trigger, vcpu);
        return context.Done(domain);
    }
}
