// SPDX-License-Identifier: MIT
using System.Text;

namespace Xm.Cli.Commands;

internal static class HostCommands
{
    public static int Dmesg(CommandContext context)
    {
        string text = Encoding.Latin1.GetString(context.Hypervisor.System.ReadConsole(context.Arguments.Has("clear")));
        return context.Report(text, XmJson.Default.String, context.Output.Write);
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
        return ExitStatus.Success;
    }
}
