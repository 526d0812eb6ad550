// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Xt.Bench;
using Xt.Build;
using Xt.Host;
using Xt.Image;
using Xt.Machine;

namespace Xt.Commands;

/// <summary><c>xt bench</c>: the same work on our hypervisor and on Debian's Xen, counted in instructions.</summary>
public static class BenchCommand
{
    private const string Micro = "micro";
    private const string Linux = "linux";
    private const string Toolstack = "toolstack";
    private const string Devices = "devices";

    public static Command Create()
    {
        Option<string[]> only = new("--only") { Description = "only these rows: micro, linux, toolstack or devices; may be repeated" };
        _ = only.AcceptOnlyFromAmong(Micro, Linux, Toolstack, Devices);
        Option<bool> json = new("--json") { Description = "print JSON instead of a table" };
        Option<string[]> guests = new("--guest")
        {
            Description = "the micro guest that measures; may be repeated",
            DefaultValueFactory = _ => ["bench", "idle-vcpus"],
        };
        Option<string[]> systems = new("--system")
        {
            Description = "ours, xen or none; may be repeated; the ratio is the first's part of the second",
            DefaultValueFactory = _ => ["ours", "xen"],
        };
        _ = systems.AcceptOnlyFromAmong("ours", "xen", "none");
        Option<string> xenAppend = new("--xen-append")
        {
            Description = "command line of Debian's Xen (spec-ctrl=no turns all mitigations off)",
            DefaultValueFactory = _ => "spec-ctrl=eager-fpu",
        };
        Option<string> append = new("--append")
        {
            Description = "command line of our hypervisor",
            DefaultValueFactory = _ => string.Empty,
        };
        Option<bool> noBuild = new("--no-build") { Description = "measure what is in artifacts/ as it is" };
        Command command = new("bench",
            "Measure single operations (micro guests tests/guests/bench and idle-vcpus), everyday operations of Linux in Domain-0\n"
            + "and in a guest, our xm beside Debian's xl, and a guest's disk, network, saving and restoring, on our hypervisor\n"
            + "and on Debian's Xen 4.17, and print both figures and their ratio.\n"
            + "Under QEMU's -icount a tick of the clock is an instruction, the hypervisor's included: figures repeat\n"
            + "exactly, on any machine. Each figure is the least of many rounds.\n\n"
            + "  xt bench                                   everything, ours and Xen\n"
            + "  xt bench --only linux --system none --system xen    what Xen costs against the bare machine")
        {
            only,
            json,
            guests,
            systems,
            xenAppend,
            append,
            noBuild,
        };
        command.SetAction(result =>
        {
            string[] rows = result.GetValue(only) is { Length: > 0 } some ? some : [Micro, Linux, Toolstack, Devices];
            string[] chosen = result.GetRequiredValue(systems);
            if (chosen.Contains("ours") && !result.GetValue(noBuild))
            {
                Products.BuildAll();
                Products.BuildMicroGuests();
            }

            BenchTable table = new(chosen);
            List<string> failures = [];
            foreach (string kind in rows)
            {
                Report.Step($"{kind} rows on {string.Join(" and ", chosen)}");
                if (kind != Micro)
                {
                    // Made once, before the systems run side by side and each wants it.
                    _ = Dom0Image.Base();
                }

                _ = Parallel.ForEach(chosen, system =>
                {
                    MachineOptions machine = new()
                    {
                        Hypervisor = Enum.Parse<HypervisorKind>(system, true),
                        InstructionCount = true,
                        HypervisorArguments = result.GetRequiredValue(system == "xen" ? xenAppend : append),
                    };
                    try
                    {
                        Measure(table, system, machine, kind, result.GetRequiredValue(guests));
                    }
                    catch (XtException error)
                    {
                        lock (failures)
                        {
                            failures.Add($"{error.Message}\n{error.Remedy}");
                        }
                    }
                });
            }

            Console.Write(result.GetValue(json) ? table.ToJson() + "\n" : table.ToText());
            failures.ForEach(failure => Report.Error(failure));
            return failures.Count == 0 && table.Rows != 0 ? 0 : 1;
        });
        return command;
    }

    private static void Measure(BenchTable table, string system, MachineOptions machine, string kind, string[] guests)
    {
        // Each system fills a table of its own: they run side by side.
        BenchTable own = new([system]);
        if (kind == Linux)
        {
            BenchRuns.Linux(own, system, machine, machine.Hypervisor != HypervisorKind.None);
        }
        else if (kind == Toolstack)
        {
            if (machine.Hypervisor != HypervisorKind.None)
            {
                BenchRuns.Toolstack(own, system, machine);
            }
        }
        else if (kind == Devices)
        {
            if (machine.Hypervisor != HypervisorKind.None)
            {
                DeviceRows.Measure(own, system, machine);
            }
        }
        else if (machine.Hypervisor != HypervisorKind.None)
        {
            foreach (string guest in guests)
            {
                if (!File.Exists(Path.Combine(Workspace.MicroGuests, guest + ".elf")))
                {
                    throw new XtException($"There is no artifacts/guests/{guest}.elf.", "--only linux does without it.");
                }

                BenchRuns.MicroGuest(own, system, machine, guest);
            }
        }

        lock (table)
        {
            table.AddAll(own);
        }
    }
}
