// SPDX-License-Identifier: MIT
using System;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>Eight virtual CPUs of a stock kernel on one CPU, and, at length, the same and sixteen on four under the other
/// schedulers. (Sixteen on four is in <see cref="CrowdTests"/>, eight on two in <see cref="SchedulerTests"/>.)</summary>
[Collection(SessionCollection.Name)]
public sealed class ManyVcpuTests(SessionPool pool)
{
    [Fact]
    public void Eight_virtual_CPUs_run_on_one() => pool.Use(HypervisorKind.Ours, dom0 =>
    {
        string output = dom0.Require($"{LoadGuest.Functions}{ManyVcpus.Functions}many_vcpus eight 8 3 0; xm destroy eight", 600);
        ManyVcpus.Check(output, "eight", 8, 3, 0);
    });

    [LongFact]
    public void Eight_run_on_one_under_each_scheduler() => RunUnderEach(1, 8, 3, 0);

    [LongFact]
    public void Sixteen_run_on_four_under_each_scheduler() => RunUnderEach(4, 16, 9, 2);

    private static void RunUnderEach(int cpus, int count, int fewer, int cpu)
    {
        Run run = new(cpus, $$"""
            for policy in sedf bvt credit; do
                xm sched-set $policy
                many_vcpus $policy {{count}} {{fewer}} {{cpu}}
                xm destroy $policy
            done
            """);
        foreach (string policy in new[] { "sedf", "bvt", "credit" })
        {
            ManyVcpus.Check(run.Output, policy, count, fewer, cpu);
        }
    }

    private sealed class Run(int cpus, string script) : ScriptRun(
        new MachineOptions { Loader = LoaderKind.Kernel, Cpus = cpus, KernelArguments = "xt.devices=off" },
        ManyVcpus.Functions + script,
        $"many-vcpus-{cpus}",
        TimeSpan.FromMinutes(25));
}
