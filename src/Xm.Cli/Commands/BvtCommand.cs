// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Domains;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Xm.Cli.Commands;

/// <summary><c>xm sched-bvt</c> and <c>xm sched-bvt-ctxallow</c>: advances and warps, kept whichever policy is in
/// force.</summary>
internal static class BvtCommand
{
    private const int Parameters = 5;

    public static int Run(CommandContext context)
    {
        IReadOnlyList<string> words = context.Arguments.Positional;
        if (words.Count > 1)
        {
            return SetAll(context, words);
        }

        int? advance = SchedulerOptions.Number(context, "mcuadv", 1, 65535);
        int? warpBack = SchedulerOptions.Number(context, "warpback", 0, 1);
        ulong? value = SchedulerOptions.Time(context, "warpvalue");
        ulong? limit = SchedulerOptions.Time(context, "warpl");
        ulong? requirement = SchedulerOptions.Time(context, "warpu");
        if (advance is null && warpBack is null && value is null && limit is null && requirement is null)
        {
            IReadOnlyList<BvtLine> lines = [.. SchedulerOptions.Domains(context, isChange: false)
                .Select(domain => Read(context, domain))];
            return context.Report(lines, XmJson.Default.IReadOnlyListBvtLine, list => Print(context, list));
        }

        return SchedulerOptions.Change(context, domain =>
        {
            DomId id = new((ushort)domain.Id);
            BvtShare share = context.Hypervisor.Scheduling.GetBvt(id);
            share.Advance = (uint?)advance ?? share.Advance;
            share.IsWarping = (uint?)warpBack ?? share.IsWarping;
            share.WarpValue = value ?? share.WarpValue;
            share.WarpLimit = limit ?? share.WarpLimit;
            share.UnwarpRequirement = requirement ?? share.UnwarpRequirement;
            context.Hypervisor.Scheduling.SetBvt(id, share);
        });
    }

    /// <summary>Shows or sets the context switch allowance.</summary>
    public static int Allowance(CommandContext context)
    {
        SchedulingTimes times = context.Hypervisor.Scheduling.GetTimes();
        if (context.Arguments.Positional.Count == 0)
        {
            return context.Report(
                SchedulerOptions.Text(SchedulerOptions.Milliseconds(times.ContextSwitchAllowance)),
                XmJson.Default.String, text => context.Output.WriteLine($"{text} ms"));
        }

        ulong wanted = SchedulerOptions.Time("the allowance", context.Arguments.Positional[0]);
        if (wanted is < 100_000 or > 1_000_000_000)
        {
            throw new UsageException("the allowance is 0.1 to 1000 ms");
        }

        times.ContextSwitchAllowance = wanted;
        context.Hypervisor.Scheduling.SetTimes(times);
        return 0;
    }

    /// <summary>The way the command was written once: DOMAIN MCUADV WARPBACK WARPVALUE WARPL WARPU.</summary>
    private static int SetAll(CommandContext context, IReadOnlyList<string> words)
    {
        if (words.Count != 1 + Parameters)
        {
            throw new UsageException("it is DOMAIN MCUADV WARPBACK WARPVALUE WARPL WARPU, or options");
        }

        DomainReference domain = context.Domains.Find(words[0]);
        BvtShare share = new()
        {
            Advance = (uint)SchedulerOptions.Number("mcuadv", words[1], 1, 65535),
            IsWarping = (uint)SchedulerOptions.Number("warpback", words[2], 0, 1),
            WarpValue = SchedulerOptions.Time("warpvalue", words[3]),
            WarpLimit = SchedulerOptions.Time("warpl", words[4]),
            UnwarpRequirement = SchedulerOptions.Time("warpu", words[5]),
        };
        context.Hypervisor.Scheduling.SetBvt(new DomId((ushort)domain.Id), share);
        return context.Done(domain);
    }

    private static BvtLine Read(CommandContext context, DomainReference domain)
    {
        BvtShare own = context.Hypervisor.Scheduling.GetBvt(new DomId((ushort)domain.Id));
        return new BvtLine(
            domain.Name, domain.Id, (int)own.Advance, own.IsWarping != 0, SchedulerOptions.Milliseconds(own.WarpValue),
            SchedulerOptions.Milliseconds(own.WarpLimit), SchedulerOptions.Milliseconds(own.UnwarpRequirement));
    }

    private static void Print(CommandContext context, IReadOnlyList<BvtLine> lines)
    {
        TableWriter table = new(
            context.Output, new("Name", 33, IsLeft: true), new("ID", 4), new("McuAdv", 6), new("Warpback", 8),
            new("Warp(ms)", 8), new("WarpL(ms)", 9), new("WarpU(ms)", 9));
        foreach (BvtLine line in lines)
        {
            table.Write(
                line.Name, SchedulerOptions.Text(line.Id), SchedulerOptions.Text(line.Advance), line.WarpBack ? "1" : "0",
                SchedulerOptions.Text(line.WarpValue), SchedulerOptions.Text(line.WarpLimit),
                SchedulerOptions.Text(line.UnwarpRequirement));
        }
    }
}
