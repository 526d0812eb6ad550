// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Xt.Image;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// What Domain-0's kernel complains about on our hypervisor and not on Debian's Xen, on the same machine, is a difference of
/// the interface, or has its reason here.
/// </summary>
public sealed class BootLogTests
{
    private static readonly TimeSpan s_boot = TimeSpan.FromSeconds(400);

    /// <summary>Lines that may differ, and why.</summary>
    private static readonly (string Line, string Reason)[] s_explained =
    [
    ];

    /// <summary>With one thread for all CPUs: with one for each Debian's Xen comes to a standstill in QEMU now and then.</summary>
    [LongFact]
    public void The_kernel_complains_about_nothing_that_it_does_not_complain_about_on_Xen() =>
        NothingIsNew(hypervisor =>
        {
            MachineOptions machine = new() { Hypervisor = hypervisor, Cpus = 2, Accelerator = "tcg,thread=single" };
            using Dom0Session dom0 = Dom0Session.Boot(machine, $"log-{hypervisor}", s_boot);
            return dom0.Require("dmesg -r");
        });

    [LongFact]
    public void Nor_does_that_of_a_whole_Debian_with_a_device_of_each_kind() =>
        NothingIsNew(hypervisor =>
        {
            using DeviceBench bench = new();
            MachineOptions machine = new()
            {
                Hypervisor = hypervisor,
                Disk = DebianDisk.Name,
                MemoryMegabytes = 8192,
                Dom0MemoryMegabytes = 1024,
                Screen = MachineOptions.TextScreen,
                QemuArguments = bench.Arguments("q35"),
            };
            using Dom0Session debian = Dom0Session.Boot(machine, $"log-{hypervisor}", s_boot);
            _ = debian.Run("systemctl is-system-running --wait", 300);
            return debian.Require("dmesg -r");
        });

    private static void NothingIsNew(Func<HypervisorKind, string> boot)
    {
        IReadOnlySet<string> onXen = KernelLog.Complaints(boot(HypervisorKind.Xen));
        IReadOnlySet<string> onOurs = KernelLog.Complaints(boot(HypervisorKind.Ours));

        // The bare machine complains as well, about QEMU's: a log without any line was not read.
        Assert.NotEmpty(onXen);
        Assert.Equal(string.Empty, string.Join('\n', onOurs
            .Where(line => !onXen.Contains(line) && !s_explained.Any(known => Regex.IsMatch(line, known.Line)))));
    }
}
