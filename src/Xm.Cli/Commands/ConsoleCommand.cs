// SPDX-License-Identifier: MIT
using Dom0.Toolstack;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Domains;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class ConsoleCommand
{
    private const int WaitMilliseconds = 5000;

    public static int Run(CommandContext context)
    {
        if (context.Daemon is not null)
        {
            return DaemonConsole.Run(context, context.Arguments.Positional[0]);
        }

        DomainReference domain = context.Domain();
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 has no console of this kind: its console is the machine's");
        }

        using ConsoleClient console = ConsoleClient.Open(context.Store, domain.Id, WaitMilliseconds);
        bool isQuiet = context.Arguments.Has("quiet");
        ConsoleEnd end = Attach(context, console, domain, isQuiet);
        if (end == ConsoleEnd.Stopped && !isQuiet)
        {
            context.Output.WriteLine($"The domain has stopped ({ReasonOf(context, domain)}).");
        }

        return ExitStatus.Success;
    }

    /// <summary>Why a stopped domain stopped.</summary>
    public static ShutdownReason ReasonOf(CommandContext context, DomainReference domain) =>
        context.Hypervisor.Domains.TryGetInfo(domain.Id)?.Reason ?? ShutdownReason.Poweroff;

    /// <summary>
    /// Runs a session; it ends with a line of its own, since the guest's last line may be incomplete.
    /// </summary>
    public static ConsoleEnd Attach(CommandContext context, ConsoleClient console, DomainReference domain, bool isQuiet)
    {
        context.Output.Flush();
        ConsoleEnd end = console.Run(() => context.Hypervisor.Domains.TryGetInfo(domain.Id) is { IsShutdown: true });
        if (!isQuiet)
        {
            context.Output.WriteLine();
            if (end != ConsoleEnd.Stopped)
            {
                context.Output.WriteLine(
                    end == ConsoleEnd.Closed ? "The console was closed: the domain is gone." : "Left the console.");
            }
        }

        return end;
    }
}
