// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;

namespace Xm.Cli.Commands;

internal static class HelpCommand
{
    public static int Run(CommandContext context)
    {
        if (context.Arguments.Has("manual"))
        {
            ManualWriter.Write(context.Output);
            return ExitStatus.Success;
        }

        if (context.Arguments.Has("completion"))
        {
            CompletionWriter.Write(context.Output);
            return ExitStatus.Success;
        }

        if (context.Arguments.Positional.Count == 0)
        {
            IReadOnlyList<CommandDescription> table = [.. CommandTable.All.Select(CommandDescription.Of)];
            return context.Report(table, XmJson.Default.IReadOnlyListCommandDescription,
                _ => HelpWriter.WriteOverview(context.Output));
        }

        string name = context.Arguments.Positional[0];
        Command command = CommandTable.All.FirstOrDefault(known => known.Name == name)
            ?? throw new UsageException($"there is no command '{name}'");
        return context.Report(CommandDescription.Of(command), XmJson.Default.CommandDescription,
            _ => HelpWriter.Write(context.Output, command));
    }
}

/// <summary>One row of the command table, as <c>xm help --json</c> has it.</summary>
internal sealed record CommandDescription(
    string Name,
    string Usage,
    string Summary,
    IReadOnlyList<CommandOption> Options,
    IReadOnlyList<string> FormerNames,
    string? Details,
    string? Needs)
{
    public static CommandDescription Of(Command command) => new(command.Name, command.Usage, command.Summary,
        [.. command.AllOptions], command.FormerNames, command.Details, command.Needs);
}
