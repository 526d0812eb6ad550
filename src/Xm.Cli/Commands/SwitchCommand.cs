// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using Dom0.Toolstack;
using Dom0.Toolstack.Domains;
using Xen.Abi.Extensions;

namespace Xm.Cli.Commands;

/// <summary><c>xm sched-set</c>: the policy of the running machine.</summary>
internal static class SwitchCommand
{
    public static int Run(CommandContext context)
    {
        SchedulingPolicy former = context.Hypervisor.Scheduling.TryPolicy()
            ?? throw new ToolstackException(
                "this hypervisor has one scheduler only, chosen when it starts", "Use its option sched= in the boot menu");
        if (context.Arguments.Positional.Count == 0)
        {
            return context.Report(
                new SchedulerState(Name(former), null, null, null), XmJson.Default.SchedulerState,
                state => context.Output.WriteLine(state.Policy));
        }

        string word = context.Arguments.Positional[0];
        if (!Enum.TryParse(word, ignoreCase: true, out SchedulingPolicy policy) || Name(policy) != word)
        {
            throw new UsageException($"the schedulers are credit, sedf and bvt, not '{word}'");
        }

        (int vcpus, ulong pause) = context.Hypervisor.Scheduling.Switch(policy);
        SchedulerState now = new(Name(policy), Name(former), vcpus, pause / 1000.0);
        return context.Report(now, XmJson.Default.SchedulerState, state => context.Output.WriteLine(
            string.Create(CultureInfo.InvariantCulture,
                $"{state.Former} to {state.Policy}: {state.Vcpus} vCPUs, pause {state.PauseMicroseconds:0.0} us")));
    }

    private static string Name(SchedulingPolicy policy) => policy.ToString().ToLowerInvariant();
}
