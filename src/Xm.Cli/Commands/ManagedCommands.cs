// SPDX-License-Identifier: MIT
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Domains;

namespace Xm.Cli.Commands;

/// <summary>Domains that the daemon keeps while they are off.</summary>
internal static class ManagedCommands
{
    private const string Why = "keeps registered domains";

    public static int New(CommandContext context)
    {
        XendClient daemon = context.RequireDaemon(Why);
        CreateParameters wanted = new(CreateCommand.ReadConfig(context, context.Arguments.Has("json")), Paused: false);
        ManagedDomain defined = daemon.Call("managed.new", wanted, ApiJson.Default.CreateParameters,
            ApiJson.Default.ManagedDomain);
        return context.Report(defined, ApiJson.Default.ManagedDomain,
            domain => context.Output.WriteLine($"Registered domain {domain.Name}; start it with 'xm start'"));
    }

    public static int Start(CommandContext context)
    {
        XendClient daemon = context.RequireDaemon(Why);
        bool withConsole = context.Arguments.Has("console");
        bool isPaused = context.Arguments.Has("paused");
        string name = context.Arguments.Positional[0];
        DomainReference started = context.ShowSteps($"Starting {name}", show => daemon.Call("managed.start",
            new StartParameters(name, withConsole || isPaused), ApiJson.Default.StartParameters,
            ApiJson.Default.DomainReference, show));
        return withConsole
            ? DaemonConsole.Run(context, started, isQuiet: false, starts: !isPaused)
            : CreateCommand.Say(context, started, isQuiet: false);
    }

    public static int Suspend(CommandContext context)
    {
        XendClient daemon = context.RequireDaemon(Why);
        string name = context.Arguments.Positional[0];
        ManagedDomain suspended = context.ShowSteps($"Suspending {name}", show => daemon.Call("managed.suspend",
            new DomainParameters(name), ApiJson.Default.DomainParameters, ApiJson.Default.ManagedDomain, show));
        return context.Report(suspended, ApiJson.Default.ManagedDomain,
            domain => context.Output.WriteLine($"Suspended domain {domain.Name}; bring it back with 'xm resume'"));
    }

    public static int Resume(CommandContext context)
    {
        XendClient daemon = context.RequireDaemon(Why);
        StartParameters wanted = new(context.Arguments.Positional[0], context.Arguments.Has("paused"));
        DomainReference resumed = context.ShowSteps($"Resuming {wanted.Domain}", show => daemon.Call("managed.resume",
            wanted, ApiJson.Default.StartParameters, ApiJson.Default.DomainReference, show));
        return context.Report(resumed, XmJson.Default.DomainReference,
            domain => context.Output.WriteLine($"Resumed domain {domain.Name} (id={domain.Id})"));
    }

    public static int Delete(CommandContext context)
    {
        ManagedDomain deleted = context.RequireDaemon(Why).Call("managed.delete",
            new DomainParameters(context.Arguments.Positional[0]), ApiJson.Default.DomainParameters,
            ApiJson.Default.ManagedDomain);
        return context.Report(deleted, ApiJson.Default.ManagedDomain, _ => { });
    }
}
