// SPDX-License-Identifier: MIT
//
// A console by way of the daemon: any number may watch one, what was said before is replayed, and a session lasts over
// restarts of the domain and of the daemon.
using System;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Domains;

namespace Xm.Cli.Commands;

internal static class DaemonConsole
{
    private const int ReconnectMilliseconds = 15_000;
    private const int RetryMilliseconds = 200;

    /// <summary>Attaches to a domain by name or number, which may be gone.</summary>
    public static int Run(CommandContext context, string domain)
    {
        using XendClient client = Connect(context);
        using ConsoleClient console = client.Attach(domain, null, out ConsoleStart start);
        return Watch(context, domain, console, start,
            isQuiet: context.Arguments.Has("quiet") || context.Arguments.Has("json"));
    }

    /// <summary>
    /// Attaches to a domain that was just created, before its first instruction, so that its first words are seen.
    /// </summary>
    public static int Run(CommandContext context, DomainReference domain, bool isQuiet, bool starts)
    {
        ConsoleClient console;
        ConsoleStart start;
        XendClient client = Connect(context);
        try
        {
            console = client.Attach($"{domain.Id}", null, out start);
        }
        catch (ToolstackException)
        {
            client.Dispose();
            DomainCommands.DestroyNow(context, domain);
            throw;
        }

        using (client)
        using (console)
        {
            if (starts)
            {
                DomainCommands.UnpauseNow(context, domain);
            }

            _ = CreateCommand.Say(context, domain, isQuiet);
            return Watch(context, domain.Name, console, start, isQuiet);
        }
    }

    private static XendClient Connect(CommandContext context) => context.ConnectDaemon()
        ?? throw new ToolstackException("xend ended", "Look into its log (xm log), and see 'xend status'");

    private static int Watch(
        CommandContext context, string domain, ConsoleClient first, ConsoleStart start, bool isQuiet)
    {
        context.Output.Flush();
        ConsoleClient console = first;
        long position = start.Position;
        while (true)
        {
            ConsoleEnd end = console.Run(() => false);
            position += console.Shown;
            if (end == ConsoleEnd.Left)
            {
                return Say(context, isQuiet, "Left the console.", ExitStatus.Success);
            }

            DomainEnd? how = EndOf(context, start.Uuid);
            if (how is null)
            {
                return Say(context, isQuiet, "The console was closed: xend ended.", ExitStatus.Failure);
            }

            if (how.IsGone || how.Action is "preserve" or "rename-restart")
            {
                return Say(context, isQuiet,
                    how.Reason is null
                        ? "The console was closed: the domain is gone."
                        : $"The domain has stopped ({how.Reason}).",
                    how.Reason == "crash" ? ExitStatus.Failure : ExitStatus.Success);
            }

            // The daemon was restarted, and the domain lives: go on where the stream broke.
            try
            {
                console.Dispose();
                console = Connect(context).Attach(domain, position, out ConsoleStart again);
                position = again.Position;
            }
            catch (ToolstackException failure)
            {
                return Say(context, isQuiet, $"The console was closed: {failure.Message}.", ExitStatus.Failure);
            }
        }
    }

    /// <summary>How the domain ended; null when the daemon does not come back to say it.</summary>
    private static DomainEnd? EndOf(CommandContext context, Guid uuid)
    {
        long deadline = Environment.TickCount64 + ReconnectMilliseconds;
        while (true)
        {
            try
            {
                using XendClient? client = context.ConnectDaemon();
                if (client is not null)
                {
                    return client.Call("domain.ended", new DomainParameters($"{uuid:D}"),
                        ApiJson.Default.DomainParameters, ApiJson.Default.DomainEnd);
                }
            }
            catch (ToolstackException) when (Environment.TickCount64 < deadline)
            {
                // It ended once more while it was asked.
            }

            if (Environment.TickCount64 >= deadline)
            {
                return null;
            }

            Thread.Sleep(RetryMilliseconds);
        }
    }

    private static int Say(CommandContext context, bool isQuiet, string sentence, int status)
    {
        if (!isQuiet)
        {
            // The guest's last line may be incomplete.
            context.Output.WriteLine();
            context.Output.WriteLine(sentence);
        }

        return status;
    }
}
