// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;

namespace Xm.Cli;

/// <summary>Explains commands, from the command table alone.</summary>
internal static class HelpWriter
{
    private const int NameWidth = 18;
    private const int OptionWidth = 24;

    /// <summary>All commands by group; those that wait for something are listed at the end.</summary>
    public static void WriteOverview(TextWriter output)
    {
        output.WriteLine("Usage: xm COMMAND [OPTIONS] [ARGUMENTS]");
        output.WriteLine();
        output.WriteLine("DOMAIN is a name or a number; SIZE is in MiB, or has a suffix K, M, G or T.");
        foreach (CommandGroup group in Enum.GetValues<CommandGroup>())
        {
            Command[] commands =
                [.. CommandTable.All.Where(command => command.Group == group && command.Needs is null)];
            if (commands.Length == 0)
            {
                continue;
            }

            output.WriteLine();
            output.WriteLine($"{Heading(group)}:");
            foreach (Command command in commands)
            {
                output.WriteLine($"  {command.Name.PadRight(NameWidth)} {command.Summary}");
            }
        }

        output.WriteLine();
        output.WriteLine("Known, but not working yet ('xm COMMAND' says what is missing):");
        WriteWrapped(output, string.Join(", ",
            CommandTable.All.Where(command => command.Needs is not null && command.Group != CommandGroup.Retired)
                .Select(command => command.Name)));
        output.WriteLine();
        output.WriteLine("Unique beginnings of at least two letters work too. 'xm COMMAND --help' explains a command.");
    }

    /// <summary>One command.</summary>
    public static void Write(TextWriter output, Command command)
    {
        output.WriteLine($"Usage: {command.Usage}");
        output.WriteLine();
        output.WriteLine($"{char.ToUpperInvariant(command.Summary[0])}{command.Summary[1..]}.");
        if (command.Details is not null)
        {
            output.WriteLine();
            WriteWrapped(output, command.Details);
        }

        if (command.Needs is not null)
        {
            output.WriteLine();
            WriteWrapped(output, $"It does not work yet: it needs {command.Needs}.");
        }

        output.WriteLine();
        output.WriteLine("Options:");
        foreach (CommandOption option in command.AllOptions)
        {
            output.WriteLine($"  {option.Spelling.PadRight(OptionWidth)} {option.Summary}");
        }

        if (command.FormerNames.Count > 0)
        {
            output.WriteLine();
            output.WriteLine($"Old name: {string.Join(", ", command.FormerNames)}");
        }
    }

    /// <summary>A group's heading.</summary>
    public static string Heading(CommandGroup group) => group switch
    {
        CommandGroup.Domain => "Domains",
        CommandGroup.Managed => "Managed domains",
        CommandGroup.Query => "Queries",
        CommandGroup.Cpu => "Virtual CPUs",
        CommandGroup.Device => "Devices",
        CommandGroup.Pool => "CPU pools",
        CommandGroup.Tool => "Tools",
        _ => group.ToString(),
    };

    private static void WriteWrapped(TextWriter output, string text)
    {
        string line = "";
        foreach (string word in text.Split(' '))
        {
            if (line.Length + word.Length > 78)
            {
                output.WriteLine(line);
                line = "";
            }

            line += line.Length == 0 ? word : " " + word;
        }

        output.WriteLine(line);
    }
}
