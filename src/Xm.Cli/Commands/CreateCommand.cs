// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Domains;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class CreateCommand
{
    private const int ConsoleMilliseconds = 10_000;
    private const int ShortestLifeMilliseconds = 2000;
    private const string DefaultFile = "xmdefconfig";

    public static int Run(CommandContext context)
    {
        bool isQuiet = context.Arguments.Has("quiet") || context.Arguments.Has("json");
        DomainConfig config = ReadConfig(context, isQuiet);
        if (context.Arguments.Has("dryrun"))
        {
            return context.Report(config, XmJson.Default.DomainConfig, built => PrintPlan(context.Output, built));
        }

        return Build(context, config, isQuiet);
    }

    /// <summary>The configuration that a command's words name, as <c>create</c> and <c>new</c> take them.</summary>
    public static DomainConfig ReadConfig(CommandContext context, bool isQuiet)
    {
        (string file, IReadOnlyDictionary<string, string> variables) = ReadArguments(context);
        string path = FindFile(file);
        if (!isQuiet)
        {
            context.Output.WriteLine($"Using config file \"{path}\".");
            context.Output.Flush();
        }

        DomainConfig config = DomainConfigReader.Read(
            ConfigInterpreter.EvaluateFile(path, variables), out IReadOnlyList<string> warnings);
        foreach (string warning in warnings)
        {
            context.Errors.WriteLine($"Warning: {warning}.");
        }

        // The daemon has another current directory; a boot loader looks on the guest's disk.
        return config.BootLoader is not null ? config : config with
        {
            Kernel = Path.GetFullPath(config.Kernel),
            Ramdisk = config.Ramdisk is null ? null : Path.GetFullPath(config.Ramdisk),
        };
    }

    private static int Build(CommandContext context, DomainConfig config, bool isQuiet)
    {
        bool withConsole = context.Arguments.Has("console");
        if (context.Daemon is { } daemon)
        {
            bool waits = withConsole || context.Arguments.Has("paused");
            DomainReference created = context.ShowSteps($"Creating {config.Name}", show => daemon.Call("domain.create",
                new CreateParameters(config, waits), ApiJson.Default.CreateParameters, ApiJson.Default.DomainReference, show));
            return withConsole
                ? DaemonConsole.Run(context, created, isQuiet, starts: !context.Arguments.Has("paused"))
                : Say(context, created, isQuiet);
        }

        if (withConsole)
        {
            return RunWithConsole(context, config, isQuiet);
        }

        context.Errors.WriteLine("Warning: xend does not run: nobody acts when the domain stops, whatever on_poweroff, "
            + "on_reboot and on_crash say.");
        return Start(context, BuildHere(context, config), isQuiet);
    }

    private static DomainReference BuildHere(CommandContext context, DomainConfig config) => context.ShowSteps(
        $"Creating {config.Name}", _ => new DomainCreator(context.Hypervisor, context.Store).Create(config));

    /// <summary>Says that a domain was started.</summary>
    public static int Say(CommandContext context, DomainReference domain, bool isQuiet) =>
        context.Report(domain, XmJson.Default.DomainReference, started =>
        {
            if (!isQuiet)
            {
                context.Output.WriteLine($"Started domain {started.Name} (id={started.Id})");
            }
        });

    private static int Start(CommandContext context, DomainReference domain, bool isQuiet)
    {
        if (!context.Arguments.Has("paused"))
        {
            DomainCommands.UnpauseNow(context, domain);
        }

        return Say(context, domain, isQuiet);
    }

    /// <summary>
    /// Runs the domain with this terminal as its console. When it stops while somebody watches, what its configuration
    /// says is done at once, a restart included; a domain that stops right after its start is not started over and
    /// over.
    /// </summary>
    private static int RunWithConsole(CommandContext context, DomainConfig config, bool isQuiet)
    {
        while (true)
        {
            DomainReference domain = BuildHere(context, config);
            long start = Environment.TickCount64;
            if (AttachAndStart(context, domain, isQuiet) != ConsoleEnd.Stopped)
            {
                return ExitStatus.Success;
            }

            ShutdownReason reason = ConsoleCommand.ReasonOf(context, domain);
            LifecycleAction action = LifecyclePolicy.ActionFor(config, reason);
            bool restarts = action is LifecycleAction.Restart or LifecycleAction.CoredumpRestart
                && Environment.TickCount64 - start >= ShortestLifeMilliseconds;
            if (action is LifecycleAction.Preserve or LifecycleAction.RenameRestart)
            {
                context.Output.WriteLine($"The domain has stopped ({reason}) and is kept, as its configuration says.");
                return ExitStatus.Success;
            }

            DomainDestroyer.Destroy(context.Hypervisor, context.Store, domain);
            if (!isQuiet)
            {
                context.Output.WriteLine(
                    $"The domain has stopped ({reason}) and was "
                    + $"{(restarts ? "destroyed; it starts again" : "destroyed")}.");
            }

            if (!restarts)
            {
                return reason == ShutdownReason.Crash ? ExitStatus.Failure : ExitStatus.Success;
            }
        }
    }

    /// <summary>
    /// The console is attached before the guest's first instruction, so that its first words are seen.
    /// </summary>
    private static ConsoleEnd AttachAndStart(CommandContext context, DomainReference domain, bool isQuiet)
    {
        ConsoleClient console;
        try
        {
            console = ConsoleClient.Open(context.Store, domain.Id, ConsoleMilliseconds);
        }
        catch (ToolstackException)
        {
            DomainDestroyer.Destroy(context.Hypervisor, context.Store, domain);
            throw;
        }

        using (console)
        {
            _ = Start(context, domain, isQuiet);
            return ConsoleCommand.Attach(context, console, domain, isQuiet);
        }
    }

    private static (string File, IReadOnlyDictionary<string, string> Variables) ReadArguments(CommandContext context)
    {
        ParsedArguments arguments = context.Arguments;
        string? file = arguments.Value("defconfig");
        Dictionary<string, string> variables = new(StringComparer.Ordinal);
        foreach (string word in arguments.Positional)
        {
            int equals = word.IndexOf('=');
            if (equals > 0 && (file is not null || !word.AsSpan(0, equals).Contains('/')))
            {
                variables[word[..equals].Trim()] = word[(equals + 1)..];
            }
            else if (file is null)
            {
                file = word;
            }
            else
            {
                throw new UsageException($"{context.Command.Name} does not know what to do with '{word}': after the file come "
                    + "NAME=VALUE words");
            }
        }

        return (file ?? DefaultFile, variables);
    }

    private static string FindFile(string file)
    {
        if (File.Exists(file))
        {
            return file;
        }

        string inEtc = Path.Combine("/etc/xen", file);
        return !file.Contains('/') && File.Exists(inEtc)
            ? inEtc
            : throw new ToolstackException($"cannot open the configuration file '{file}'",
                file.Contains('/') ? null : "It was looked for in the current directory and in /etc/xen");
    }

    private static void PrintPlan(TextWriter output, DomainConfig config)
    {
        void Line(string name, object value) =>
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name.PadRight(12)} {value}"));

        Line("name", config.Name);
        Line("uuid", config.Uuid.ToString("D"));
        if (config.BootLoader is not null)
        {
            Line("bootloader", string.Join(' ', [config.BootLoader, .. config.BootLoaderArguments ?? []]));
        }

        string unless = config.BootLoader is null ? "(none)" : "(its choice)";
        Line("kernel", config.Kernel.Length > 0 ? config.Kernel : unless);
        Line("ramdisk", config.Ramdisk ?? unless);
        Line("cmdline", config.CommandLine);
        Line("memory", $"{config.MemoryKib / 1024} MiB");
        Line("maxmem", $"{config.MaximumMemoryKib / 1024} MiB");
        Line("vcpus", config.MaximumVcpus);
        Line("cpu_weight", config.Weight?.ToString(CultureInfo.InvariantCulture) ?? "(default)");
        Line("cpu_cap", config.Cap?.ToString(CultureInfo.InvariantCulture) ?? "(none)");
        foreach (string disk in config.Disks)
        {
            Line("disk", disk);
        }

        foreach (string vif in config.Vifs)
        {
            Line("vif", vif);
        }

        Line("on_poweroff", StoreEntries.Text(config.OnPoweroff));
        Line("on_reboot", StoreEntries.Text(config.OnReboot));
        Line("on_crash", StoreEntries.Text(config.OnCrash));
        for (int vcpu = 0; vcpu < config.MaximumVcpus; vcpu++)
        {
            if (!config.Affinity[vcpu].Equals(CpuSet.All))
            {
                Line("cpus", $"virtual CPU {vcpu} on {config.Affinity[vcpu]}");
            }
        }
    }
}
