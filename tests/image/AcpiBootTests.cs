// SPDX-License-Identifier: MIT
using System;
using System.IO;
using Xt;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// A machine without firmware's tables: the boot says so and goes on. Damaged ones are host tests' (AcpiTablesTests): QEMU mends
/// the checksum of each table that it is given.
/// </summary>
public sealed class AcpiBootTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    [Fact]
    public void Without_tables_a_guest_runs_on_one_CPU()
    {
        using SerialLine line = Boot("-no-acpi");

        Says(line, "SUCCESS");
        Assert.Contains("(XEN) ACPI: no root pointer (RSDP) is to be found", line.Text, StringComparison.Ordinal);
    }

    private static SerialLine Boot(params string[] arguments)
    {
        MachineOptions machine = new()
        {
            Loader = LoaderKind.Kernel,
            Machine = "pc",
            Cpus = 2,
            MemoryMegabytes = 256,
            Dom0MemoryMegabytes = 32,
            Module = Path.Combine(Workspace.Artifacts, "guests", "hello.elf"),
            QemuArguments = arguments,
        };
        return SerialLine.Boot(machine, BootFiles.Gather(machine), "acpi");
    }

    private static void Says(SerialLine line, string text)
    {
        _ = line.WaitUntil(
            all => all.Contains(text, StringComparison.Ordinal) || all.Contains("(XEN) halted", StringComparison.Ordinal),
            DateTime.UtcNow + s_limit);
        Assert.True(
            line.Text.Contains(text, StringComparison.Ordinal),
            $"The console never says: {text}\n{line.Tail()}\n{line.QemuErrors}");
    }
}
