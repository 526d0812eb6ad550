// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Text;
using Xt;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Firmware's tables that are damaged or not there: the boot says so and goes on with what is sound.</summary>
public sealed class AcpiBootTests : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("xt-acpi-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Without_tables_a_guest_runs_on_one_CPU()
    {
        using SerialLine line = Boot("-no-acpi");

        Says(line, "SUCCESS");
        Assert.Contains("(XEN) ACPI: no root pointer (RSDP) is to be found", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_with_a_wrong_checksum_is_told_of_and_left_out()
    {
        using SerialLine line = Boot("-acpitable", "file=" + Table(length: 64, checksum: 0x5A));

        Says(line, "SUCCESS");
        Assert.Contains(
            "(XEN) ACPI: tables that are unreadable or have a wrong checksum are left out: 1", line.Text, StringComparison.Ordinal);
        Assert.Contains("I/O APICs: 1", line.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sound_table_is_not_told_of()
    {
        using SerialLine line = Boot("-acpitable", "file=" + Table(length: 64, checksum: null));

        Says(line, "SUCCESS");
        Assert.DoesNotContain("(XEN) ACPI: ", line.Text, StringComparison.Ordinal);
    }

    /// <summary>A table of nobody's, with its header as it is written here.</summary>
    private string Table(int length, byte? checksum)
    {
        byte[] table = new byte[length];
        Encoding.ASCII.GetBytes("XTST").CopyTo(table, 0);
        BitConverter.GetBytes(length).CopyTo(table, 4);
        Encoding.ASCII.GetBytes("TESTER").CopyTo(table, 10);
        byte sum = 0;
        foreach (byte value in table)
        {
            sum += value;
        }

        table[9] = checksum ?? (byte)-sum;
        string path = Path.Combine(_folder, "table");
        File.WriteAllBytes(path, table);
        return path;
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
