// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// The way of the commands into Domain-0 and of their output back, proved on Debian's Xen 4.17: what goes wrong in the
/// tests of our hypervisor is then not the driver's fault.
/// </summary>
public sealed class ReferenceBatchTests
{
    private static readonly MachineOptions s_xen = new() { Hypervisor = HypervisorKind.Xen };

    [LongFact]
    public void Status_and_both_streams_of_the_commands_come_back()
    {
        BatchResult result = Run(s_xen, "echo one; echo two >&2; exit 7");

        Assert.Equal(BatchOutcome.Completed, result.Outcome);
        Assert.Equal(7, result.Status);
        Assert.Equal("one\ntwo\n", result.OutputText);
    }

    [LongFact]
    public void Output_of_any_bytes_survives_a_console_that_others_print_to()
    {
        // Every byte value, a quarter of a megabyte, while the kernel prints away.
        BatchResult result = Run(s_xen,
            "(while :; do echo noise >/dev/kmsg; sleep 0.01; done) & "
            + "awk 'BEGIN { for (i = 0; i < 262144; i++) printf \"%c\", i % 256 }' </dev/null");

        Assert.Equal(BatchOutcome.Completed, result.Outcome);
        byte[] expected = [.. Enumerable.Range(0, 262144).Select(i => (byte)i)];
        Assert.Equal(expected, result.Output);
    }

    [LongFact]
    public void Domain_0_is_listed_by_xl_with_GRUB_and_with_QEMUs_loader()
    {
        foreach (LoaderKind loader in new[] { LoaderKind.GrubMultiboot1, LoaderKind.Kernel })
        {
            BatchResult result = Run(s_xen with { Loader = loader }, "xl list");

            Assert.Equal(0, result.Status);
            Assert.Contains("Domain-0", result.OutputText);
        }
    }

    [LongFact]
    public void Commands_that_do_not_end_are_given_up()
    {
        BatchResult result = BatchRun.Execute(s_xen, "sleep 1000", TimeSpan.FromSeconds(25), "reference-timeout");

        Assert.Equal(BatchOutcome.TimedOut, result.Outcome);
        Assert.Contains("Linux version", System.IO.File.ReadAllText(result.Log));
    }

    [LongFact]
    public void A_kernel_that_panics_is_noticed_at_once_and_named()
    {
        BatchResult result = Run(s_xen, "echo c >/proc/sysrq-trigger; sleep 1000");

        Assert.Equal(BatchOutcome.Died, result.Outcome);
        Assert.Contains("sysrq triggered crash", result.Reason);
    }

    [LongFact]
    public void A_hypervisor_that_panics_is_noticed_at_once_and_named()
    {
        BatchResult result = Run(s_xen with { NoModules = true }, "true");

        Assert.Equal(BatchOutcome.Died, result.Outcome);
        Assert.Contains("dom0 kernel not specified", result.Reason);
    }

    private static BatchResult Run(MachineOptions options, string commands) =>
        BatchRun.Execute(options, commands, TimeSpan.FromSeconds(180), "reference");
}
