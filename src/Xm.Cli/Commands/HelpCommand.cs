// SPDX-License-Identifier: MIT
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
            HelpWriter.WriteOverview(context.Output);
            return ExitStatus.Success;
        }

        string name = context.Arguments.Positional[0];
        Command command = CommandTable.All.FirstOrDefault(known => known.Name == name)
            ?? throw new UsageException($"there is no command '{name}'");
        HelpWriter.Write(context.Output, command);
        return ExitStatus.Success;
    }
}
