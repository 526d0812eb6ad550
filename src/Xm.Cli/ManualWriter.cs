// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;

namespace Xm.Cli;

/// <summary>The manual page xm(1) as troff, from the command table alone.</summary>
internal static class ManualWriter
{
    /// <summary>Writes the whole page.</summary>
    public static void Write(TextWriter output)
    {
        output.WriteLine(".\\\" Made from the command table: xm help --manual");
        output.WriteLine(".TH XM 1 \"\" \"Xen\" \"Xen management\"");
        output.WriteLine(".SH NAME");
        output.WriteLine("xm \\- manage the domains of a Xen host");
        output.WriteLine(".SH SYNOPSIS");
        output.WriteLine(".B xm");
        output.WriteLine(".I COMMAND\n[\\fIOPTIONS\\fR]\n[\\fIARGUMENTS\\fR]");
        output.WriteLine(".SH DESCRIPTION");
        output.WriteLine("DOMAIN is a name or a number; SIZE is in MiB, or has a suffix K, M, G or T.");
        output.WriteLine("Unique beginnings of at least two letters of a command's name work too.");
        output.WriteLine("Every command takes \\fB\\-\\-json\\fR, which prints its result as JSON, and");
        output.WriteLine("\\fB\\-\\-help\\fR.");
        foreach (CommandGroup group in Enum.GetValues<CommandGroup>())
        {
            Command[] commands = [.. CommandTable.All.Where(command => command.Group == group && command.Needs is null)];
            if (commands.Length > 0)
            {
                output.WriteLine($".SH {HelpWriter.Heading(group).ToUpperInvariant()}");
                Array.ForEach(commands, command => WriteCommand(output, command));
            }
        }

        output.WriteLine(".SH EXIT STATUS");
        output.WriteLine("0 when the command did what was asked, 1 when it failed, 2 when the command line cannot be");
        output.WriteLine("meant.");
        output.WriteLine(".SH FILES");
        output.WriteLine("/etc/xen, /etc/xen/auto, /run/xend/api, /var/log/xen/xend.log, /var/log/xen/console,");
        output.WriteLine("/var/lib/xen/dump");
        output.WriteLine(".SH SEE ALSO");
        output.WriteLine("\\fBxend\\fR(8)");
    }

    private static void WriteCommand(TextWriter output, Command command)
    {
        output.WriteLine(".TP");
        string options = command.Options.Count > 0 ? " [\\fIOPTIONS\\fR]" : "";
        string arguments = command.Arguments.Length > 0 ? $" \\fI{Escape(command.Arguments)}\\fR" : "";
        output.WriteLine($"\\fB{Escape(command.Name)}\\fR{options}{arguments}");
        output.WriteLine(Escape($"{char.ToUpperInvariant(command.Summary[0])}{command.Summary[1..]}."));
        if (command.Details is not null)
        {
            output.WriteLine(Escape(command.Details));
        }

        if (command.FormerNames.Count > 0)
        {
            output.WriteLine(Escape($"Old name: {string.Join(", ", command.FormerNames)}."));
        }

        foreach (CommandOption option in command.Options)
        {
            output.WriteLine(".RS");
            output.WriteLine(".TP");
            output.WriteLine($"\\fB{Escape(option.Spelling.Trim())}\\fR");
            output.WriteLine(Escape(option.Summary));
            output.WriteLine(".RE");
        }
    }

    /// <summary>A text that troff shows as it is.</summary>
    private static string Escape(string text)
    {
        string escaped = text.Replace("\\", "\\e", StringComparison.Ordinal).Replace("-", "\\-", StringComparison.Ordinal)
            .Replace("…", "...", StringComparison.Ordinal);
        return escaped.StartsWith('.') || escaped.StartsWith('\'') ? "\\&" + escaped : escaped;
    }
}
