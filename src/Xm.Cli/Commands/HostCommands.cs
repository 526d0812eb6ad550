// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text;
using Dom0.Toolstack;

namespace Xm.Cli.Commands;

internal static class HostCommands
{
    public static int Dmesg(CommandContext context)
    {
        string text = Encoding.Latin1.GetString(context.Hypervisor.System.ReadConsole(context.Arguments.Has("clear")));
        return context.Report(text, XmJson.Default.String, context.Output.Write);
    }

    /// <summary>The daemon's log, the older file first; it is there without the daemon too.</summary>
    public static int Log(CommandContext context)
    {
        const string Path = "/var/log/xen/xend.log";
        StringBuilder text = new();
        try
        {
            foreach (string file in (string[])[Path + ".1", Path])
            {
                _ = text.Append(File.Exists(file) ? File.ReadAllText(file) : "");
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ToolstackException($"cannot read {Path}: {failure.Message}", "Run xm as root", failure);
        }

        return text.Length > 0
            ? context.Report(text.ToString(), XmJson.Default.String, context.Output.Write)
            : throw new ToolstackException($"there is no log in {Path}", "xend writes it; see 'xend status'");
    }

    public static int DebugKeys(CommandContext context)
    {
        string keys = context.Arguments.Positional[0];
        foreach (char key in keys)
        {
            if (key is <= ' ' or >= (char)127)
            {
                throw new UsageException("KEYS are printable characters; 'xm debug-keys h' lists them in 'xm dmesg'");
            }
        }

        context.Hypervisor.System.SendDebugKeys(keys);
        return context.Report(keys, XmJson.Default.String, _ => { });
    }
}
