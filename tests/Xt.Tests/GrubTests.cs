// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Xt.Host;
using Xunit;

namespace Xt.Tests;

/// <summary>The menus in grub/, read by GRUB's own tools.</summary>
public sealed class GrubTests : IDisposable
{
    private readonly string _boot = Directory.CreateTempSubdirectory("xt-grub-").FullName;

    public void Dispose() => Directory.Delete(_boot, true);

    [Fact]
    public void The_menu_of_the_ISO_is_sound() => Check(Workspace.InSources("grub", "grub.cfg"));

    [Fact]
    public void The_old_menu_is_one_that_GRUB_understands()
    {
        string converted = Path.Combine(_boot, "grub.cfg");
        _ = HostCommand.Require("grub-menulst2cfg", [Workspace.InSources("grub", "menu.lst"), converted]);
        Check(converted);
        string text = File.ReadAllText(converted);
        Assert.DoesNotContain("Unsupported", text);
        Assert.Contains("legacy_kernel   '/xen.gz' '/xen.gz' 'dom0_mem=458752'", text);
        Assert.Equal(2, text.Split("legacy_initrd '/initrd.img'").Length - 1);
    }

    [Fact]
    public void The_snippet_makes_entries_of_each_image_with_each_kernel_newest_first()
    {
        Add("xen.gz", "xen-4.9.gz", "xen-4.17.gz", "vmlinuz-6.1.0-9-amd64", "vmlinuz-6.1.0-56-amd64",
            "initrd.img-6.1.0-56-amd64");

        List<string[]> entries = Entries("GRUB_DEVICE=/dev/sda2", "GRUB_CMDLINE_XEN=dom0_mem=1G",
            "GRUB_CMDLINE_XEN_DEFAULT=loglvl=all", "GRUB_CMDLINE_LINUX=a=1", "GRUB_CMDLINE_LINUX_DEFAULT=quiet");

        Assert.Equal(12, entries.Count);
        string[] first = entries[0];
        Assert.Contains("6.1.0-56-amd64", first[0]);
        Assert.Contains($"multiboot2 {_boot}/xen-4.17.gz dom0_mem=1G loglvl=all", first);
        Assert.Contains($"module2 {_boot}/vmlinuz-6.1.0-56-amd64 root=/dev/sda2 ro a=1 quiet", first);
        Assert.Contains($"module2 --nounzip {_boot}/initrd.img-6.1.0-56-amd64", first);
        string[] recovery = entries[1];
        Assert.Contains("recovery", recovery[0]);
        Assert.Contains($"multiboot2 {_boot}/xen-4.17.gz dom0_mem=1G", recovery);
        Assert.Contains($"module2 {_boot}/vmlinuz-6.1.0-56-amd64 root=/dev/sda2 ro single a=1", recovery);
        Assert.DoesNotContain(entries[2], line => line.Contains("--nounzip", StringComparison.Ordinal));
        Assert.Equal(
            new[] { "xen-4.17.gz", "xen-4.9.gz", "xen.gz" },
            entries.Select(entry => Path.GetFileName(
                entry.Single(line => line.StartsWith("multiboot2", StringComparison.Ordinal)).Split(' ')[1])).Distinct());
        Assert.Equal(entries.Count, entries.Select(entry => entry[0].Split("--id")[1]).Distinct().Count());
    }

    [Fact]
    public void What_is_no_image_or_no_kernel_for_Domain_0_gets_no_entry()
    {
        Add("xen-4.17.efi", "xen-4.17.config", "xen-4.17.gz.old", "xen-4.17.gz~", "vmlinuz-1.old", "vmlinuz-5-plain",
            "vmlinuz-6-dom0", "config-5-plain");
        Assert.Empty(Entries("GRUB_DISABLE_RECOVERY=true"));
        Add("xen.gz");
        File.WriteAllText(Path.Combine(_boot, "config-6-dom0"), "CONFIG_XEN=y\nCONFIG_XEN_PV_DOM0=y\n");
        _ = File.CreateSymbolicLink(Path.Combine(_boot, "xen-link.gz"), "xen.gz");
        string[] only = Assert.Single(Entries("GRUB_DISABLE_RECOVERY=true"));
        Assert.Contains($"module2 {_boot}/vmlinuz-6-dom0 ro", only);
    }

    [Fact]
    public void Quotes_in_names_do_not_break_the_menu()
    {
        Add("xen.gz", "vmlinuz-1");
        Assert.Equal(2, Entries("GRUB_DISTRIBUTOR=Bob's").Count);
    }

    [Fact]
    public void Words_for_the_kernel_can_be_replaced_as_a_whole()
    {
        Add("xen.gz", "vmlinuz-1");
        string[] entry = Entries("GRUB_CMDLINE_LINUX=a", "GRUB_CMDLINE_LINUX_DEFAULT=b",
            "GRUB_CMDLINE_LINUX_XEN_REPLACE=c", "GRUB_CMDLINE_LINUX_XEN_REPLACE_DEFAULT=d")[0];
        Assert.Contains($"module2 {_boot}/vmlinuz-1 ro c d", entry);
    }

    private static void Check(string menu) => _ = HostCommand.Require("grub-script-check", [menu]);

    private void Add(params string[] files)
    {
        foreach (string file in files)
        {
            File.WriteAllText(Path.Combine(_boot, file), string.Empty);
        }
    }

    /// <summary>The lines of each entry that the snippet writes, without indentation and double spaces.</summary>
    private List<string[]> Entries(params string[] settings)
    {
        HostCommand.Outcome outcome = HostCommand.Capture(
            "env", [.. settings, $"XEN_BOOT_DIRECTORY={_boot}", Workspace.InSources("grub", "20_xen")]);
        Assert.True(outcome.Status == 0, outcome.Errors);
        if (outcome.Output.Length == 0)
        {
            return [];
        }

        string menu = Path.Combine(_boot, "menu");
        File.WriteAllText(menu, outcome.Output);
        Check(menu);
        return
        [
            .. outcome.Output.Split("}\n", StringSplitOptions.RemoveEmptyEntries).Select(entry => entry
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
                .ToArray()),
        ];
    }
}
