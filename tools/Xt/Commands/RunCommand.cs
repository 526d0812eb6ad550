// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using Xt.Host;
using Xt.Machine;

namespace Xt.Commands;

/// <summary><c>xt run</c>: a machine on the terminal, or one that runs commands and is gone.</summary>
public static class RunCommand
{
    public const int TimedOut = 124;
    public const int Died = 125;

    public static Command Create()
    {
        Command command = new("run",
            "Boot the hypervisor in QEMU, to a root shell in Domain-0.\n\n"
            + "  xt run                                       a root shell; Ctrl+A X ends QEMU\n"
            + "  xt run --batch 'xm list; xm info'            print what the commands print, exit with their status\n"
            + "  xt run --hypervisor xen --batch 'xl list'    the same machine under Debian's Xen 4.17\n"
            + "  xt run --module artifacts/guests/hello.elf   a micro guest instead of Linux\n\n"
            + "The serial log of every run stays in artifacts/logs. With --batch the exit status is 124 when time is\n"
            + "up and 125 when the hypervisor or Domain-0 dies; the end of the log is printed then.");
        MachineSwitches switches = new();
        Option<string?> batch = new("--batch") { Description = "commands for bash in Domain-0" };
        Option<double> timeout = new("--timeout")
        {
            Description = "time limit of a batch, seconds",
            DefaultValueFactory = _ => 180,
        };
        Option<bool> verbose = new("--verbose", "-v")
        {
            Description = "show the console on the standard error stream while a batch runs",
        };
        command.Options.Add(batch);
        command.Options.Add(timeout);
        command.Options.Add(verbose);
        switches.AddTo(command);
        command.SetAction(result =>
        {
            MachineOptions options = switches.Read(result);
            string? commands = result.GetValue(batch);
            bool isVerbose = result.GetValue(verbose);
            // A script that reads both streams wants the errors, not the progress.
            Report.Quiet = commands != null && !isVerbose && Console.IsErrorRedirected;
            switches.Prepare(result, options);
            return commands == null
                ? Interactive(options)
                : Batch(options, commands, result.GetValue(timeout), isVerbose);
        });
        return command;
    }

    private static int Interactive(MachineOptions options)
    {
        BootFiles files = BootFiles.Gather(options);
        string log = LogFiles.New("run");
        List<string> arguments = QemuCommand.Arguments(options, files, log, true);
        Report.Step($"starting QEMU; Ctrl+A X ends it, the log is {Path.GetRelativePath(Workspace.Root, log)}");
        if (options.Gdb)
        {
            Report.Step("halted until gdb connects: gdb -ex 'target remote :1234' artifacts/xen");
        }

        return HostCommand.Attached(QemuCommand.Program, arguments);
    }

    /// <summary>The commands are given on the console, behind the login.</summary>
    private static int OnDisk(MachineOptions options, string commands, double timeout, bool verbose)
    {
        TimeSpan limit = TimeSpan.FromSeconds(timeout);
        DateTime deadline = DateTime.UtcNow + limit;
        try
        {
            using Dom0Session session = Dom0Session.Boot(options, "batch", limit, verbose ? Console.Error.Write : null);
            (int status, string output) = session.Run(commands, (deadline - DateTime.UtcNow).TotalSeconds);
            Console.Write(output);
            return status;
        }
        catch (XtException error)
        {
            Report.Error(error.Message, error.Remedy);
            return DateTime.UtcNow >= deadline ? TimedOut : Died;
        }
    }

    private static int Batch(MachineOptions options, string commands, double timeout, bool verbose)
    {
        if (options.Disk != null)
        {
            return OnDisk(options, commands, timeout, verbose);
        }

        BatchResult result = BatchRun.Execute(
            options, commands, TimeSpan.FromSeconds(timeout), "batch", verbose ? Console.Error.Write : null);
        using Stream output = Console.OpenStandardOutput();
        output.Write(result.Output);
        output.Flush();
        if (result.Outcome == BatchOutcome.Completed)
        {
            return result.Status;
        }

        if (!verbose)
        {
            Report.Plain(result.Tail);
        }

        Report.Error(result.Reason, $"The whole serial log: {Path.GetRelativePath(Workspace.Root, result.Log)}");
        return result.Outcome == BatchOutcome.TimedOut ? TimedOut : Died;
    }
}
