// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;

namespace Xm.Cli;

/// <summary>What a command works with: its arguments, the hypervisor, the store, and where to print.</summary>
internal sealed class CommandContext : IDisposable
{
    private readonly Func<IHypercallChannel> _openChannel;
    private readonly Func<StoreClient> _openStore;
    private IHypercallChannel? _channel;
    private Hypervisor? _hypervisor;
    private readonly Func<XendClient?> _openDaemon;
    private StoreClient? _store;
    private XendClient? _daemon;

    public CommandContext(
        Command command,
        ParsedArguments arguments,
        TextWriter output,
        TextWriter errors,
        Func<IHypercallChannel> openChannel,
        Func<StoreClient> openStore,
        Func<XendClient?> openDaemon)
    {
        Command = command;
        Arguments = arguments;
        Output = output;
        Errors = errors;
        _openChannel = openChannel;
        _openStore = openStore;
        _openDaemon = openDaemon;
    }

    public Command Command { get; }

    public ParsedArguments Arguments { get; }

    public TextWriter Output { get; }

    public TextWriter Errors { get; }

    /// <summary>The hypervisor, opened at first use.</summary>
    public Hypervisor Hypervisor => _hypervisor ??= new Hypervisor(_channel = _openChannel());

    /// <summary>The store, connected at first use.</summary>
    public StoreClient Store => _store ??= _openStore();

    /// <summary>The daemon, connected at first use; null when none runs.</summary>
    public XendClient? Daemon => _daemon ??= _openDaemon();

    /// <summary>Names, numbers and states of the domains.</summary>
    public DomainDirectory Domains => new(Hypervisor, () => Store);

    /// <summary>The daemon, which the command cannot do without.</summary>
    public XendClient RequireDaemon(string why) => Daemon ?? throw new ToolstackException(
        $"xend does not run, which {why}", "Start it (systemctl start xend, or xend &), and see 'xend status'");

    /// <summary>A connection of its own to the daemon; null when none runs.</summary>
    public XendClient? ConnectDaemon() => _openDaemon();

    /// <summary>The domain that the argument at <paramref name="index"/> names.</summary>
    public DomainReference Domain(int index = 0) => Domains.Find(Arguments.Positional[index]);

    /// <summary>The argument at <paramref name="index"/> as a number in a range.</summary>
    public int Number(int index, string what, int minimum, int maximum)
    {
        string text = Arguments.Positional[index];
        return int.TryParse(text, out int number) && number >= minimum && number <= maximum
            ? number
            : throw new UsageException($"{what} is a number from {minimum} to {maximum}, not '{text}'");
    }

    /// <summary>The value of an option as a number in a range; null when the option was not given.</summary>
    public int? Option(string name, int minimum, int maximum)
    {
        if (Arguments.Value(name) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= minimum && number <= maximum
            ? number
            : throw new UsageException($"{name} is a number from {minimum} to {maximum}, not '{text}'");
    }

    /// <summary>A line for what takes long; it stays away from pipes, and from who wants nothing but errors.</summary>
    public ProgressLine ProgressLine() =>
        new(Errors, !Console.IsErrorRedirected && !Arguments.Has("quiet") && !Arguments.Has("json"));

    /// <summary>
    /// Does something that takes long and is called <paramref name="what"/>, and shows its steps meanwhile. The work passes what
    /// it is given to the daemon, or does it itself.
    /// </summary>
    public T ShowSteps<T>(string what, Func<Action<StepProgress>, T> work)
    {
        using ProgressLine line = ProgressLine();
        Action<StepProgress> show = step => line.Show(what, step);
        return Progress.While(show, () => work(show));
    }

    /// <summary>Prints a result, as JSON if the user asked for it and by <paramref name="print"/> otherwise.</summary>
    public int Report<T>(T result, JsonTypeInfo<T> type, Action<T> print)
    {
        if (Arguments.Has("json"))
        {
            Output.WriteLine(JsonSerializer.Serialize(result, type));
        }
        else
        {
            print(result);
        }

        return ExitStatus.Success;
    }

    /// <summary>Ends a command that acts on a domain and has nothing to print but, with --json, the domain.</summary>
    public int Done(DomainReference domain) =>
        Report(domain, XmJson.Default.DomainReference, _ => { });

    public void Dispose()
    {
        _daemon?.Dispose();
        _store?.Dispose();
        _hypervisor?.Dispose();
        _channel?.Dispose();
    }
}
