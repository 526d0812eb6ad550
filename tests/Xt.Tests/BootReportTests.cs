// SPDX-License-Identifier: MIT
using System.Linq;
using Xt.Machine;
using Xt.Testing;
using Xunit;

namespace Xt.Tests;

public sealed class BootReportTests
{
    private const string Good =
        "(XEN) memory: 2047 MiB of RAM up to 07ffe0000\r\n(XEN) CPUs: 2 of 2 run, local APICs 0 1\r\n"
        + "BOOTED cpus=2 work=2 kilobytes=480000 clock=xen acpi=yes efi=no seconds=9 year=2026 complaints=0 END\r\n";

    private static readonly BootCase s_machine = new(LoaderKind.Kernel, "q35", "max", 2, 2, 2048);

    [Fact]
    public void A_boot_as_it_should_be_has_no_fault() => Assert.Empty(BootTests.Faults(s_machine, Good));

    [Theory]
    [InlineData("cpus=2", "cpus=1", "Domain-0 has 1 vCPUs, and was given 2.")]
    [InlineData("work=2", "work=1", "Of Domain-0's vCPUs 1 compute what they should.")]
    [InlineData("CPUs: 2 of", "CPUs: 1 of", "The hypervisor runs 1 CPUs.")]
    [InlineData("kilobytes=480000", "kilobytes=800000", "Domain-0 sees 781 MiB of the 512 MiB it was given.")]
    [InlineData("clock=xen", "clock=jiffies", "Domain-0's clock is jiffies.")]
    [InlineData("kilobytes=480000", "kilobytes=300000", "Domain-0 sees 292 MiB of the 512 MiB it was given.")]
    [InlineData("acpi=yes", "acpi=no", "Domain-0 did not find the ACPI tables.")]
    [InlineData("efi=no", "efi=yes", "Domain-0 believes in UEFI firmware.")]
    [InlineData("year=2026", "year=1970", "Domain-0 believes that the year is 1970.")]
    [InlineData("complaints=0", "complaints=3", "Linux complains (3 lines).")]
    [InlineData("memory: 2047 MiB", "memory: 640 MiB", "The hypervisor finds 640 MiB of memory.")]
    [InlineData("BOOTED", "BOOTE", "Domain-0 did not reach its user space.")]
    [InlineData("BOOTED", "(XEN) Panic on CPU 0: oh\nBOOTED", "(XEN) Panic on CPU 0: oh")]
    public void Each_fault_is_told(string what, string instead, string fault) =>
        Assert.Equal([fault], BootTests.Faults(s_machine, Good.Replace(what, instead)).ToArray());

    [Fact]
    public void With_UEFI_Domain_0_has_to_know_of_it() =>
        Assert.Equal(
            ["Domain-0 does not know of its UEFI firmware."],
            BootTests.Faults(s_machine with { Loader = LoaderKind.Efi }, Good).ToArray());
}
