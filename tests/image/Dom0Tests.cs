// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Debian's stock kernel as Domain-0, and what the tools see of it.</summary>
[Collection(SessionCollection.Name)]
public sealed class Dom0Tests(SessionPool pool)
{
    [Theory]
    [Hypervisors]
    public void Domain_0_reaches_its_shell_as_the_privileged_domain(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            Assert.Equal("xen\n", dom0.Require("cat /sys/hypervisor/type"));
            Assert.Contains("control_d", dom0.Require("cat /proc/xen/capabilities"));
        });

    [Theory]
    [Hypervisors]
    public void Its_event_channels_are_of_the_FIFO_kind(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
            Assert.Contains("xen:events: Using FIFO-based ABI", dom0.Require("dmesg | grep 'events:'")));

    [Theory]
    [Hypervisors]
    public void Xl_lists_Domain_0_with_its_memory_and_CPUs(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
            Assert.Matches(@"(?m)^Domain-0 +0 +512 +1 +r-----", dom0.Require("xl list")));

    [Theory]
    [Hypervisors]
    public void Xm_lists_Domain_0_with_its_memory_and_CPUs(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
            Assert.Matches(@"(?m)^Domain-0 +0 +512 +1 +r-----", dom0.Require("xm list")));

    [Theory]
    [Hypervisors]
    public void Xl_info_knows_the_machine(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            string info = dom0.Require("xl info");

            Assert.Matches(@"(?m)^nr_cpus +: 1$", info);
            Assert.Matches(@"(?m)^total_memory +: 20[0-9][0-9]$", info);
            // Beside Domain-0's 512 MiB little is taken: the modules were given back.
            Assert.Matches(@"(?m)^free_memory +: 1(49|5[0-3])[0-9]$", info);
            Assert.Matches(@"(?m)^xen_caps +: .*xen-3\.0-x86_64", info);
        });

    /// <summary>Both tools say the same under the names that both have, but for what moves between two looks.</summary>
    [Theory]
    [Hypervisors]
    public void Xm_info_says_what_xl_info_says(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            Dictionary<string, string> ours = Lines(dom0.Require("xm info"));
            Dictionary<string, string> theirs = Lines(dom0.Require("xl info"));
            foreach (string name in new[]
            {
                "host", "release", "version", "machine", "nr_cpus", "max_cpu_id", "nr_nodes", "cores_per_socket", "threads_per_core",
                "cpu_mhz", "hw_caps", "total_memory", "xen_major", "xen_minor", "xen_extra", "xen_version", "xen_caps", "xen_scheduler",
                "xen_pagesize", "platform_params", "xen_changeset", "xen_commandline", "cc_compiler", "cc_compile_date",
            })
            {
                Assert.Equal(theirs[name], ours[name]);
            }

            Assert.InRange(int.Parse(ours["free_memory"]) - int.Parse(theirs["free_memory"]), -8, 8);

            static Dictionary<string, string> Lines(string text) => text.Split('\n')
                .Select(line => line.Split(':', 2))
                .Where(parts => parts.Length == 2)
                .ToDictionary(parts => parts[0].Trim(), parts => parts[1].Trim());
        });

    [Theory]
    [Hypervisors]
    public void The_hypervisors_own_messages_can_be_read_by_both_tools(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            string messages = dom0.Require("xl debug-keys h; xl dmesg");

            Assert.Contains("(XEN) ", messages);
            Assert.Matches("(?i)command line: .*dom0_mem=512M", messages);
            Assert.Equal(messages, dom0.Require("xm dmesg"));
        });

    [Theory]
    [Hypervisors]
    public void Time_goes_on_and_sleeping_takes_as_long_as_asked(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 =>
        {
            string[] uptimes = dom0.Require("cut -d. -f1 /proc/uptime; sleep 3; cut -d. -f1 /proc/uptime").Split('\n');

            // The host may be busy and the guest late, but a clock that runs is never early.
            Assert.InRange(int.Parse(uptimes[1]) - int.Parse(uptimes[0]), 3, 30);
        });

    [Theory]
    [Hypervisors]
    public void Processes_are_made_in_numbers_and_end(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 => Assert.Equal("500\n", dom0.Require(
            "n=0; for i in $(seq 500); do [ \"$(/usr/bin/busybox echo $i)\" = $i ] && n=$((n + 1)); done; echo $n")));

    [Theory]
    [Hypervisors]
    public void Floating_point_of_two_processes_does_not_mix(HypervisorKind hypervisor) =>
        pool.Use(hypervisor, dom0 => Assert.Equal("1\n", dom0.Require(
            """
            sum() { awk 'BEGIN { x = 0; for (i = 1; i < 200000; i++) x += 1 / (i * i); printf "%.12f\n", x }'; }
            sum >/tmp/1 & sum >/tmp/2 & sum >/tmp/3 & wait
            cat /tmp/1 /tmp/2 /tmp/3 | sort -u | wc -l
            """)));
}
