// SPDX-License-Identifier: MIT
//
// Every command that any xm had, in one table. Dispatch, help, completion and manual pages read nothing else.
using System.Collections.Generic;
using Xm.Cli.Commands;

namespace Xm.Cli;

/// <summary>The commands of <c>xm</c>.</summary>
internal static class CommandTable
{
    private const string Backends = "a back end for screens, which this release does not have yet";
    private const string PassThrough = "device pass-through, which this release does not have yet";
    private const string Pools = "CPU pools, which this release does not have yet";
    private const string Gone = "a subsystem that modern Xen no longer has";

    private static readonly CommandOption s_all = new('a', "all", "all domains but Domain-0");
    private static readonly CommandOption s_wait = new('w', "wait", "return when the domain has stopped");
    private static readonly CommandOption s_domain = new('d', "domain", "the domain", "DOMAIN");
    private static readonly CommandOption s_everyDomain = new('a', "all", "every domain, Domain-0 included");
    private static readonly CommandOption s_force = new('f', "force", "without the guest's consent");
    private static readonly CommandOption s_long = new('l', "long", "everything, as nested lists");

    /// <summary>All commands, in the order of the help text.</summary>
    public static IReadOnlyList<Command> All { get; } =
    [
        new("create", CommandGroup.Domain, "FILE [NAME=VALUE…]",
            "build a domain from a configuration file and start it",
            CreateCommand.Run)
        {
            Options =
            [
                new('c', "console", "attach to its console"),
                new('p', "paused", "leave it paused"),
                new('n', "dryrun", "print what would be built, and build nothing"),
                new('q', "quiet", "print nothing but errors"),
                new('f', "defconfig", "the configuration file, if it is not the first argument", "FILE"),
            ],
            Details =
                "FILE is looked for as it stands, then in /etc/xen. It may be an xm file (the part of Python that such "
                + "files use) or an xl file; neither is executed. NAME=VALUE sets a key, or a variable that the file "
                + "asks for.",
        },
        new("destroy", CommandGroup.Domain, "DOMAIN", "end a domain at once", DomainCommands.Destroy)
        {
            Minimum = 1,
            Maximum = 1,
            Details = "The guest is not asked; see shutdown. Its memory comes back at once, but for what a program of Domain-0 has "
                + "mapped: a warning says how much that is.",
        },
        new("shutdown", CommandGroup.Domain, "DOMAIN | -a", "ask a domain to power itself off",
            ShutdownCommand.Shutdown)
        {
            Options =
            [
                s_all,
                s_wait,
                new('H', "halt", "ask it to halt"),
                new('R', "reboot", "ask it to reboot"),
            ],
            Maximum = 1,
        },
        new("reboot", CommandGroup.Domain, "DOMAIN | -a", "ask a domain to reboot", ShutdownCommand.Reboot)
        {
            Options = [s_all, s_wait],
            Maximum = 1,
        },
        new("pause", CommandGroup.Domain, "DOMAIN", "stop a domain and keep its memory", DomainCommands.Pause)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("unpause", CommandGroup.Domain, "DOMAIN", "let a paused domain run on", DomainCommands.Unpause)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("rename", CommandGroup.Domain, "DOMAIN NAME", "give a domain another name", DomainCommands.Rename)
        {
            Minimum = 2,
            Maximum = 2,
        },
        new("sysrq", CommandGroup.Domain, "DOMAIN LETTER", "press a SysRq key in a domain", DomainCommands.SysRq)
        {
            Minimum = 2,
            Maximum = 2,
        },
        new("trigger", CommandGroup.Domain, "DOMAIN nmi|reset|init|power|s3resume [VCPU]",
            "send a signal to a virtual CPU from outside", DomainCommands.Trigger)
        {
            Minimum = 2,
            Maximum = 3,
        },
        new("dump-core", CommandGroup.Domain, "DOMAIN [FILE]", "write a domain's memory to a file", DomainCommands.Dump)
        {
            Options =
            [
                new('L', "live", "do not hold the domain still meanwhile"),
                new('C', "crash", "destroy the domain afterwards"),
                new('R', "reset", "ask the domain to reboot afterwards"),
            ],
            Minimum = 1,
            Maximum = 2,
            Details = "The file has the form of Xen's own dumps, which 'crash' reads; for gdb see dump-gdb. Without FILE it goes to "
                + "/var/lib/xen/dump.",
        },
        new("dump-gdb", CommandGroup.Domain, "DUMP FILE", "make a core file for gdb of a dump", DomainCommands.DumpForGdb)
        {
            Minimum = 2,
            Maximum = 2,
            Details = "DUMP is a file of dump-core. Each virtual CPU is a thread; memory lies at the addresses of the guest's "
                + "kernel: gdb -core FILE, with the kernel's vmlinux for names. Needs no hypervisor.",
        },
        new("save", CommandGroup.Domain, "DOMAIN FILE", "write a domain's state to a file and end it",
            SaveCommands.Save)
        {
            Options =
            [
                new('c', "checkpoint", "let it run on afterwards"),
                new('t', "timeout", "how long it may take to suspend itself; 60 unless told", "SECONDS"),
            ],
            Minimum = 2,
            Maximum = 2,
            Details = "Whatever goes wrong, the domain runs on and there is no file. Ctrl+C is safe.",
        },
        new("restore", CommandGroup.Domain, "FILE", "build a domain from a saved state", SaveCommands.Restore)
        {
            Options = [new('p', "paused", "leave it paused")],
            Minimum = 1,
            Maximum = 1,
            Details = "FILE was written by 'xm save' or 'xl save'. All of it is "
                + "checked before anything is created.",
        },
        new("save-verify", CommandGroup.Domain, "FILE", "check a saved state and show what is in it",
            SaveCommands.Verify)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("migrate", CommandGroup.Domain, "DOMAIN HOST", "move a domain to another host", null)
        {
            Needs = "migration of domains, which this release does not have yet",
        },
        new("reset", CommandGroup.Domain, "DOMAIN", "reset a domain as by its reset button", null)
        {
            Needs = "a way to build a domain anew in its place, which this release does not have yet; use 'xm reboot'",
        },

        new("new", CommandGroup.Managed, "FILE [NAME=VALUE…]", "register a domain without starting it",
            ManagedCommands.New)
        {
            Options = [new('f', "defconfig", "the configuration file, if it is not the first argument", "FILE")],
        },
        new("delete", CommandGroup.Managed, "DOMAIN", "forget a registered domain", ManagedCommands.Delete)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("start", CommandGroup.Managed, "DOMAIN", "start a registered domain", ManagedCommands.Start)
        {
            Options = [new('c', "console", "attach to its console"), new('p', "paused", "leave it paused")],
            Minimum = 1,
            Maximum = 1,
        },
        new("suspend", CommandGroup.Managed, "DOMAIN", "save a registered domain's state and end it",
            ManagedCommands.Suspend)
        {
            Minimum = 1,
            Maximum = 1,
            Details = "The state is the daemon's; 'xm resume' brings the domain back. Whatever goes wrong, the domain runs on.",
        },
        new("resume", CommandGroup.Managed, "DOMAIN", "bring a suspended domain back", ManagedCommands.Resume)
        {
            Options = [new('p', "paused", "leave it paused")],
            Minimum = 1,
            Maximum = 1,
        },

        new("list", CommandGroup.Query, "[DOMAIN…]", "list the domains", ListCommand.Run) { Options = [s_long] },
        new("domid", CommandGroup.Query, "NAME", "print the number of a domain", QueryCommands.DomId)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("domname", CommandGroup.Query, "NUMBER", "print the name of a domain", QueryCommands.DomName)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("domstate", CommandGroup.Query, "DOMAIN", "print the state of a domain as one word", QueryCommands.DomState)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("uptime", CommandGroup.Query, "[DOMAIN…]", "print how long domains have been running", QueryCommands.Uptime)
        {
            Options = [new('s', "short", "one short line for each domain")],
        },

        new("console", CommandGroup.Console, "DOMAIN", "attach to a domain's console; Ctrl+] leaves",
            ConsoleCommand.Run)
        {
            Options = [new('q', "quiet", "print nothing of its own")],
            Minimum = 1,
            Maximum = 1,
        },
        new("vncviewer", CommandGroup.Console, "DOMAIN", "show a domain's graphical console", null)
        {
            Needs = Backends,
        },

        new("mem-set", CommandGroup.Memory, "DOMAIN SIZE", "ask a domain to use more or less memory",
            MemoryCommands.Set)
        {
            Options = [new('w', "wait", "how long to wait for the domain, 30 unless told", "SECONDS")],
            Minimum = 2,
            Maximum = 2,
            Details = "Shows on a terminal how far the domain has come. Domain-0 keeps what its kernel and programs use at "
                + "this moment, and 64 MiB.",
            FormerNames = ["balloon"],
        },
        new("mem-max", CommandGroup.Memory, "DOMAIN SIZE", "limit the memory that a domain may use",
            MemoryCommands.Maximum)
        {
            Minimum = 2,
            Maximum = 2,
            FormerNames = ["maxmem"],
        },

        new("vcpu-list", CommandGroup.Cpu, "[DOMAIN…]", "list the virtual CPUs", VcpuCommands.List),
        new("vcpu-pin", CommandGroup.Cpu, "DOMAIN VCPU|all CPUS", "choose the CPUs that a virtual CPU may use",
            VcpuCommands.Pin)
        {
            Minimum = 3,
            Maximum = 3,
            FormerNames = ["pincpu"],
            Details = "CPUS is 'all' or a list such as 0-3,5,^1.",
        },
        new("vcpu-set", CommandGroup.Cpu, "DOMAIN COUNT", "set how many virtual CPUs a domain uses", VcpuCommands.Set)
        {
            Minimum = 2,
            Maximum = 2,
            FormerNames = ["set-vcpus"],
            Details = "The domain's kernel does it. Linux registers virtual CPUs that come, and leaves it to user space to put them "
                + "into use: echo 1 >/sys/devices/system/cpu/cpuN/online, or a rule of udev. Domain-0 has that rule from the "
                + "Debian package.",
        },

        new("sched-set", CommandGroup.Scheduler, "[credit|sedf|bvt]", "show or change the scheduler, while guests run",
            SwitchCommand.Run)
        {
            Maximum = 1,
            Details =
                "Every domain is taken over, Domain-0 included; what was set for it under each scheduler is kept and "
                + "comes back with it. If the change is refused nothing has changed.",
        },
        new("sched-credit", CommandGroup.Scheduler, "[DOMAIN]", "show or set weight and cap of domains",
            SchedulerCommand.Run)
        {
            Options =
            [
                s_domain,
                s_everyDomain,
                new('w', "weight", "share against other domains, 1 to 65535", "WEIGHT"),
                new('c', "cap", "ceiling in per cent of one CPU, 0 for none", "CAP"),
            ],
            Maximum = 1,
            Details = "It serves the credit2 scheduler too, whose weights and caps mean the same.",
        },
        new("sched-credit2", CommandGroup.Scheduler, "[DOMAIN]", "show or set weights under credit2", SchedulerCommand.Run)
        {
            Options = [s_domain, s_everyDomain, new('w', "weight", "share against other domains, 1 to 65535", "WEIGHT"),
                new('c', "cap", "ceiling in per cent of one CPU, 0 for none", "CAP")],
            Maximum = 1,
        },
        new("sched-sedf", CommandGroup.Scheduler, "[DOMAIN]", "show or set period and slice of domains", SedfCommand.Run)
        {
            Options =
            [
                s_domain,
                s_everyDomain,
                new('p', "period", "the slice is promised in each period of so many milliseconds", "MS"),
                new('s', "slice", "running time promised to each virtual CPU; 0 for none", "MS"),
                new('l', "latency", "first period after a wake-up; 0 for the usual one", "MS"),
                new('e', "extratime", "1: it may have time that is left over; 0: not", "0|1"),
                new('w', "weight", "share of the time that is left over, 1 to 65535", "WEIGHT"),
            ],
            Maximum = 1,
        },
        new("sched-bvt", CommandGroup.Scheduler, "[DOMAIN [MCUADV WARPBACK WARPVALUE WARPL WARPU]]",
            "show or set the parameters of the bvt scheduler", BvtCommand.Run)
        {
            Options =
            [
                s_domain,
                s_everyDomain,
                new('m', "mcuadv", "virtual time for each unit of running time: twice as much is half the share", "NUMBER"),
                new('b', "warpback", "1: it warps when it wakes; 0: not", "0|1"),
                new('v', "warpvalue", "how far back a warped virtual CPU counts as being", "MS"),
                new('l', "warpl", "how long it may run warped; 0 for no limit", "MS"),
                new('u', "warpu", "how long it then stays unwarped", "MS"),
            ],
            Maximum = 6,
            FormerNames = ["bvt"],
        },
        new("sched-bvt-ctxallow", CommandGroup.Scheduler, "[ALLOWANCE]",
            "show or set bvt's context switch allowance in milliseconds", BvtCommand.Allowance)
        {
            Maximum = 1,
            FormerNames = ["bvt_ctxallow"],
        },

        new("info", CommandGroup.Host, "", "describe host and hypervisor", InfoCommand.Run)
        {
            Options = [new('m', "memory", "show where the memory is instead: what each domain has, and what is kept for it")],
            Maximum = 0,
        },
        new("dmesg", CommandGroup.Host, "", "print the hypervisor's messages", HostCommands.Dmesg)
        {
            Options = [new('c', "clear", "empty the buffer afterwards")],
            Maximum = 0,
        },
        new("debug-keys", CommandGroup.Host, "KEYS", "press keys on the hypervisor's console", HostCommands.DebugKeys)
        {
            Minimum = 1,
            Maximum = 1,
        },
        new("log", CommandGroup.Host, "", "print the daemon's log", HostCommands.Log) { Maximum = 0 },
        new("stat", CommandGroup.Host, "[DOMAIN…]", "count what domains ask of the hypervisor", StatCommand.Run)
        {
            Options =
            [
                new('d', "delay", "seconds between two tables, 1 unless told", "SECONDS"),
                new('i', "iterations", "print so many tables, 1 unless told", "COUNT"),
            ],
            Details = "The first table counts since the domains were made; those that follow give events per second. A "
                + "hypercall inside a multicall counts as one, a trap is any exception, a shootdown is another CPU that was "
                + "interrupted to flush its TLB, and a switch a CPU that turned to a vCPU of the domain.",
        },
        new("top", CommandGroup.Host, "", "show what the domains use, continuously", TopCommand.Run)
        {
            Options =
            [
                new('b', "batch", "print tables one after the other, for files and pipes"),
                new('d', "delay", "seconds between two tables, 3 unless told", "SECONDS"),
                new('i', "iterations", "end after so many tables", "COUNT"),
            ],
            Maximum = 0,
            Details = "The live table ends with q. NETTX and NETRX are KiB that the domain has sent and received; VBD_RD and "
                + "VBD_WR are requests to its disks, VBD_RSECT and VBD_WSECT sectors.",
        },

        new("block-attach", CommandGroup.Device, "DOMAIN BACKDEV FRONTDEV MODE", "attach a disk",
            DeviceCommands.AttachDisk)
        {
            Minimum = 2,
            Maximum = 5,
            FormerNames = ["vbd-create"],
            Details = "BACKDEV is phy:/dev/NAME or file:/PATH, FRONTDEV xvda, sda1 or the like, MODE r, w or w!. An entry "
                + "of the configuration's disk list serves as well.",
        },
        new("block-configure", CommandGroup.Device, "DOMAIN BACKDEV FRONTDEV MODE", "put another disk in its place",
            DeviceCommands.ConfigureDisk)
        {
            Options = [s_force],
            Minimum = 2,
            Maximum = 5,
            Details = "The guest sees the disk go and come back.",
        },
        new("block-detach", CommandGroup.Device, "DOMAIN DEVICE", "detach a disk", DeviceCommands.DetachDisk)
        {
            Options = [s_force],
            Minimum = 2,
            Maximum = 2,
            FormerNames = ["vbd-destroy"],
            Details = "DEVICE is the disk's name or number.",
        },
        new("block-list", CommandGroup.Device, "DOMAIN…", "list the disks of domains", DeviceCommands.ListDisks)
        {
            Options = [s_long],
            Minimum = 1,
            FormerNames = ["vbd-list"],
        },
        new("network-attach", CommandGroup.Device, "DOMAIN [KEY=VALUE…]", "attach a network interface",
            DeviceCommands.AttachVif)
        {
            Minimum = 1,
            Details = "The keys are those of the configuration's vif list: mac, bridge, ip, script, vifname, rate, mtu.",
        },
        new("network-detach", CommandGroup.Device, "DOMAIN DEVICE", "detach a network interface",
            DeviceCommands.DetachVif)
        {
            Options = [s_force],
            Minimum = 2,
            Maximum = 2,
            Details = "DEVICE is the interface's number or its address.",
        },
        new("network-list", CommandGroup.Device, "DOMAIN…", "list the network interfaces of domains",
            DeviceCommands.ListVifs)
        {
            Options = [s_long],
            Minimum = 1,
            FormerNames = ["vif-list"],
        },
        new("pci-attach", CommandGroup.Device, "DOMAIN DEVICE", "give a PCI device to a domain", null)
        {
            Needs = PassThrough,
        },
        new("pci-detach", CommandGroup.Device, "DOMAIN DEVICE", "take a PCI device back", null) { Needs = PassThrough },
        new("pci-list", CommandGroup.Device, "DOMAIN", "list the PCI devices of a domain", null)
        {
            Needs = PassThrough,
        },
        new("pci-list-assignable-devices", CommandGroup.Device, "", "list the PCI devices that can be given away", null)
        {
            Needs = PassThrough,
        },

        new("cpupool-list", CommandGroup.Pool, "", "list the CPU pools", null)
        {
            Needs = Pools,
            FormerNames = ["pool-list"],
        },
        new("cpupool-create", CommandGroup.Pool, "FILE", "make a CPU pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-create"],
        },
        new("cpupool-new", CommandGroup.Pool, "FILE", "register a CPU pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-new"],
        },
        new("cpupool-start", CommandGroup.Pool, "POOL", "start a CPU pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-start"],
        },
        new("cpupool-delete", CommandGroup.Pool, "POOL", "forget a CPU pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-delete"],
        },
        new("cpupool-destroy", CommandGroup.Pool, "POOL", "end a CPU pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-destroy"],
        },
        new("cpupool-cpu-add", CommandGroup.Pool, "POOL CPU", "add a CPU to a pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-cpu-add"],
        },
        new("cpupool-cpu-remove", CommandGroup.Pool, "POOL CPU", "take a CPU from a pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-cpu-remove"],
        },
        new("cpupool-migrate", CommandGroup.Pool, "DOMAIN POOL", "move a domain to another pool", null)
        {
            Needs = Pools,
            FormerNames = ["pool-migrate"],
        },

        new("events", CommandGroup.Tool, "", "print what happens to domains, as it happens", EventsCommand.Run)
        {
            Options = [new('i', "iterations", "end after so many events", "COUNT")],
            Maximum = 0,
        },
        new("help", CommandGroup.Tool, "[COMMAND]", "explain xm or one of its commands", HelpCommand.Run)
        {
            Options =
            [
                new(null, "manual", "print the manual page xm(1) instead, as troff"),
                new(null, "completion", "print the completion script for bash instead"),
            ],
            Maximum = 1,
        },

        .. Retired("addlabel cfgbootpolicy dry-run dumppolicy getlabel getpolicy labels loadpolicy makepolicy "
            + "resetpolicy resources rmlabel setpolicy getenforce setenforce",
            "access control by labels, which this hypervisor does not have"),
        .. Retired("tmem-destroy tmem-flush tmem-freeable tmem-freeze tmem-list tmem-set tmem-shared-auth tmem-thaw",
            Gone),
        .. Retired("network2-attach network2-detach network2-list vnet-create vnet-delete vnet-list", Gone),
        .. Retired("scsi-attach scsi-detach scsi-list usb-add usb-attach usb-del usb-detach usb-hc-create "
            + "usb-hc-destroy usb-list usb-list-assignable-devices vtpm-list",
            "back ends for SCSI, USB and TPM devices, which this release does not have"),
        .. Retired("network-del network-new network-show event-monitor serve shell",
            "the management interface of old xend, which this toolstack replaces"),
    ];

    private static IEnumerable<Command> Retired(string names, string needs)
    {
        foreach (string name in names.Split(' '))
        {
            yield return new Command(name, CommandGroup.Retired, "", "a command of earlier releases", null)
            {
                Needs = needs,
            };
        }
    }
}
