// SPDX-License-Identifier: MIT
using Dom0.Toolstack;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Domains;

namespace Xm.Cli.Commands;

internal static class ConsoleCommand
{
    private const int WaitMilliseconds = 5000;

    public static int Run(CommandContext context)
    {
        DomainReference domain = context.Domain();
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 has no console of this kind: its console is the machine's");
        }

        using ConsoleClient console = ConsoleClient.Open(context.Store, domain.Id, WaitMilliseconds);
        Attach(context, console, context.Arguments.Has("quiet"));
        return ExitStatus.Success;
    }

    /// <summary>Runs a session that ends with a line of its own, since the guest's last line may be incomplete.</summary>
    public static void Attach(CommandContext context, ConsoleClient console, bool isQuiet)
    {
        context.Output.Flush();
        ConsoleEnd end = console.Run();
        if (!isQuiet)
        {
            context.Output.WriteLine();
            context.Output.WriteLine(end == ConsoleEnd.Closed ? "The console was closed: the domain is gone." : "Left the console.");
        }
    }
}
