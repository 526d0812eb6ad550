// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Threading;
using Xt;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// Memory maps as no firmware of QEMU's makes them. A shim that QEMU loads as the kernel spoils the map as its command line
/// says, and starts the hypervisor, its first module (<c>tests/shim</c>).
/// </summary>
public sealed class MemoryMapTests
{
    private const string Unusable = "(XEN) cannot start: the boot loader's information is unusable: ";

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan s_standing = TimeSpan.FromSeconds(0.7);

    [Theory]
    [InlineData("none", Unusable + "the loader passed no memory map")]
    [InlineData("empty", Unusable + "the loader passed no memory map")]
    [InlineData("noram", Unusable + "the memory map names no usable memory")]
    [InlineData("long", Unusable + "the memory map has more than 1024 entries")]
    [InlineData("size", Unusable + "an entry of the memory map has an impossible size")]
    [InlineData("little", "(XEN) cannot start: a module cannot be read: it lies outside of usable RAM")]
    public void A_map_that_cannot_be_used_is_refused_in_one_sentence(string spoilt, string sentence)
    {
        using SerialLine line = Boot(spoilt, "noreboot");

        Says(line, sentence);
        Says(line, "(XEN) halted");
        Thread.Sleep(s_standing);
        Assert.False(line.IsOver, "The machine was reset.\n" + line.Tail());
    }

    [Fact]
    public void Without_noreboot_the_machine_restarts_five_seconds_after_the_sentence()
    {
        using SerialLine line = Boot("none", string.Empty);

        Says(line, Unusable + "the loader passed no memory map");
        Says(line, "(XEN) rebooting in five seconds (option noreboot prevents it)");
        _ = line.WaitUntil(_ => line.IsOver, DateTime.UtcNow + s_limit);
        Assert.True(line.IsOver);
    }

    [Theory]
    [InlineData("sound", 255)]
    [InlineData("tangled", 255)]
    public void A_map_that_is_only_untidy_serves(string spoilt, int megabytes)
    {
        using SerialLine line = Boot(spoilt, "noreboot");

        Says(line, "SUCCESS");
        Assert.Contains($"(XEN) memory: {megabytes} MiB of RAM up to ", line.Text, StringComparison.Ordinal);
    }

    private static SerialLine Boot(string spoilt, string arguments)
    {
        string guest = Path.Combine(Workspace.Artifacts, "guests", "hello.elf");
        string hypervisor = $"{Workspace.Hypervisor} com1=115200,,8n1 console=com1 guest dom0_mem=32M {arguments}";
        MachineOptions machine = new()
        {
            Loader = LoaderKind.Kernel,
            HypervisorImage = Path.Combine(Workspace.Artifacts, "shim", "map-shim.elf"),
            HypervisorArguments = $"map={spoilt}",
            NoModules = true,
            MemoryMegabytes = 256,
            QemuArguments = ["-initrd", $"{hypervisor},{guest}"],
        };
        return SerialLine.Boot(machine, BootFiles.Gather(machine), "map-" + spoilt);
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
