// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Text.Json;
using System.Threading;
using Dom0.Toolstack.Api;

namespace Xm.Cli.Commands;

internal static class EventsCommand
{
    /// <summary>Prints events until the user ends it; with --json, one object a line.</summary>
    public static int Run(CommandContext context)
    {
        int? count = context.Option("iterations", 1, int.MaxValue);
        XendClient daemon = context.RequireDaemon("tells what happens");
        _ = daemon.Call("events.subscribe", ApiJson.Default.DaemonStatus);
        for (int told = 0; count is null || told < count;)
        {
            if (daemon.WaitForEvent(Timeout.Infinite) is not { } happened)
            {
                continue;
            }

            told++;
            context.Output.WriteLine(context.Arguments.Has("json")
                ? JsonSerializer.Serialize(happened, ApiJson.Default.DomainEvent)
                : Line(happened));
            context.Output.Flush();
        }

        return ExitStatus.Success;
    }

    private static string Line(DomainEvent happened) => string.Create(CultureInfo.InvariantCulture,
        $"{happened.Time.ToLocalTime():yyyy-MM-dd HH:mm:ss} {happened.Event,-10} {happened.Name} ({happened.Domid})")
        + (happened.Reason is null ? "" : $": {happened.Reason}")
        + (happened.Action is null ? "" : $", {happened.Action}");
}
