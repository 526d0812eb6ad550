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

        string? name = context.Arguments.Value("domain");
        int? weight = Option(context, "weight", 1, 65535);
        int? cap = Option(context, "cap", 0, 65535);
        if (weight is not null || cap is not null)
        {
            DomainReference domain = context.Domains.Find(
                name ?? throw new UsageException("a weight or cap is set for one domain: add -d DOMAIN"));
            DomId id = new((ushort)domain.Id);
            (int oldWeight, int oldCap) = context.Hypervisor.Domains.GetShare(id, scheduler);
            context.Hypervisor.Domains.SetShare(id, scheduler, weight ?? oldWeight, cap ?? oldCap);
            return context.Done(domain);
        }

        IEnumerable<DomainReference> domains = name is not null
            ? [context.Domains.Find(name)]
            : context.Domains.List().Select(domain => new DomainReference(domain.Id, domain.Name));
        IReadOnlyList<SchedulerShare> shares =
            [.. domains.Select(domain => Read(context.Hypervisor, domain, scheduler))];
        return context.Report(shares, XmJson.Default.IReadOnlyListSchedulerShare, list => Print(context.Output, list));
    }

    private static SchedulerShare Read(Hypervisor hypervisor, DomainReference domain, SchedulerId scheduler)
    {
        (int weight, int cap) = hypervisor.Domains.GetShare(new DomId((ushort)domain.Id), scheduler);
        return new SchedulerShare(domain.Name, domain.Id, weight, cap);
    }

    private static int? Option(CommandContext context, string name, int minimum, int maximum)
    {
        if (context.Arguments.Value(name) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && number >= minimum && number <= maximum
            ? number
            : throw new UsageException($"{name} is a number from {minimum} to {maximum}, not '{text}'");
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
