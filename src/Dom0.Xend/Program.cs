// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack;
using Dom0.Xend;
using Dom0.Xend.Autostart;
using Dom0.Xend.Supervisor;

const string Usage = """
    Usage: xend [COMMAND]

    Without a command, or with 'run', xend keeps its processes running until it is
    ended; the guests run on.

      run         supervise the processes below; a store of another program is used
                  if one runs already
      store       be the process that serves the store (xenstore)
      backends    be the process that makes devices of domains
      domains     be the process that keeps domains and consoles and serves xm
      status      say which processes run
      autostart   create the domains of /etc/xen/auto, and start the defined ones
                  whose on_xend_start says so
      autostop    ask all guests to shut down, wait, and destroy those that do not

    Files: /run/xend (state), /var/lib/xend (definitions), /var/log/xen/xend.log,
    /var/log/xen/console (what guests say). See also: xm help.
    """;

if (args.Length > 1)
{
    Console.Error.WriteLine("Error: xend takes one command.");
    Console.Error.WriteLine(Usage);
    return 2;
}

try
{
    switch (args.Length == 0 ? "run" : args[0])
    {
        case "run":
            return Supervise();
        case Roles.Store:
            return Roles.RunStore();
        case Roles.Backends:
            return BackendsRole.Run();
        case Roles.Domains:
            return DomainsRole.Run();
        case "status":
            return StatusReport.Write(Console.Out);
        case "autostart":
            return AutostartRole.Start(Console.Out, Console.Error);
        case "autostop":
            return AutostartRole.Stop(Console.Out, Console.Error);
        case "help" or "-h" or "--help":
            Console.Out.WriteLine(Usage);
            return 0;
        default:
            Console.Error.WriteLine($"Error: there is no command '{args[0]}'.");
            Console.Error.WriteLine(Usage);
            return 2;
    }
}
catch (ToolstackException failure)
{
    new XendLog(Places.Log, args.Length == 0 ? "supervisor" : args[0]).Write(failure.Message);
    Console.Error.WriteLine($"Error: {failure.Describe()}");
    return 1;
}

static int Supervise()
{
    Places.MakeRunFolder();
    using RoleLock held = RoleLock.TryTake(Places.LockOf("supervisor"))
        ?? throw new ToolstackException("xend runs already", "See 'xend status'");
    Action<string> log = new XendLog(Places.Log, "supervisor").Write;
    return new RoleSupervisor(Roles.Wanted(log), log).Run();
}
