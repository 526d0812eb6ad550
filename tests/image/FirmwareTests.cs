// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>What Domain-0 has of UEFI firmware: its variables, its framebuffer and its reset.</summary>
public sealed class FirmwareTests : IDisposable
{
    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(180);

    private readonly Monitor _monitor = new();

    public void Dispose() => _monitor.Dispose();

    [Fact]
    public void By_UEFI_variables_are_read_the_framebuffer_shows_text_and_the_machine_starts_over()
    {
        MachineOptions machine = new()
        {
            Loader = LoaderKind.Efi,
            Screen = "1024x768x32",
            Cpus = 2,
            // A reset is one, and not the end of QEMU.
            QemuArguments = [.. _monitor.Arguments, "-action", "reboot=reset"],
        };
        using Dom0Session dom0 = Dom0Session.Boot(machine, "firmware", s_boot);
        _ = dom0.Require("modprobe efivarfs && mount -t efivarfs none /sys/firmware/efi/efivars");
        VariablesAreReadOnly(dom0);

        Assert.Equal("EFI VGA\n", dom0.Require("cat /sys/class/graphics/fb0/name"));
        _ = dom0.Require("for round in 1 2 3; do echo 'The quick brown fox jumps over the lazy dog.'; done >/dev/tty1");
        ScreenPicture.ShowsTheSameAs(dom0, _monitor);

        dom0.Start("reboot -f");
        dom0.WaitFor("reboot: Restarting system", TimeSpan.FromSeconds(60));
        dom0.WaitFor("(XEN) starting the first domain", s_boot);
    }

    /// <summary>Linux reads the firmware's variables and cannot write them, which it says.</summary>
    internal static void VariablesAreReadOnly(Dom0Session dom0)
    {
        const string Variables = "/sys/firmware/efi/efivars";
        Assert.Contains("BootOrder-", dom0.Require($"ls {Variables}"));
        string size = dom0.Require($"stat -c %s {Variables}/BootCurrent-*; cat {Variables}/BootCurrent-* | wc -c");
        Assert.Equal("6\n6\n", size);

        // The file system makes a name before it asks; behind it there must be nothing.
        string refusal = dom0.Require($"cd {Variables}; variable=Xt-12345678-1234-1234-1234-123456789abc; "
            + "printf '\\007\\000\\000\\000x' | dd of=$variable 2>&1 && echo written; wc -c <$variable");
        Assert.Contains("Read-only file system", refusal);
        Assert.DoesNotContain("written", refusal);
        Assert.EndsWith("\n0\n", refusal);
    }
}
