// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class SchedulerCommand
{
    public static int Run(CommandContext context)
    {
        SchedulerId scheduler = context.Hypervisor.System.Scheduler();
        if (scheduler is not (SchedulerId.Credit or SchedulerId.Credit2))
        {
            throw new ToolstackException(
                $"the scheduler in use is {HostInfoReader.SchedulerName(scheduler)}, which has no weights and caps");
        }

        int? weight = SchedulerOptions.Number(context, "weight", 1, 65535);
        int? cap = SchedulerOptions.Number(context, "cap", 0, 65535);
        if (weight is null && cap is null)
        {
            IReadOnlyList<SchedulerShare> shares = [.. SchedulerOptions.Domains(context, isChange: false)
                .Select(domain => Read(context.Hypervisor, domain, scheduler))];
            return context.Report(
                shares, XmJson.Default.IReadOnlyListSchedulerShare, list => Print(context.Output, list));
        }

        return SchedulerOptions.Change(context, domain =>
        {
            DomId id = new((ushort)domain.Id);
            (int oldWeight, int oldCap) = context.Hypervisor.Domains.GetShare(id, scheduler);
            context.Hypervisor.Domains.SetShare(id, scheduler, weight ?? oldWeight, cap ?? oldCap);
        });
    }

    private static SchedulerShare Read(Hypervisor hypervisor, DomainReference domain, SchedulerId scheduler)
    {
        (int weight, int cap) = hypervisor.Domains.GetShare(new DomId((ushort)domain.Id), scheduler);
        return new SchedulerShare(domain.Name, domain.Id, weight, cap);
    }

    private static void Print(TextWriter output, IReadOnlyList<SchedulerShare> shares)
    {
        TableWriter table = new(output, new("Name", 33, IsLeft: true), new("ID", 4), new("Weight", 6), new("Cap", 4));
        foreach (SchedulerShare share in shares)
        {
            table.Write(share.Name, share.Id.ToString(CultureInfo.InvariantCulture),
                share.Weight.ToString(CultureInfo.InvariantCulture), share.Cap.ToString(CultureInfo.InvariantCulture));
        }
    }
}
