// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Domains;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Xm.Cli.Commands;

/// <summary><c>xm sched-sedf</c>: reservations, kept whichever policy is in force.</summary>
internal static class SedfCommand
{
    public static int Run(CommandContext context)
    {
        ulong? period = SchedulerOptions.Time(context, "period");
        ulong? slice = SchedulerOptions.Time(context, "slice");
        ulong? latency = SchedulerOptions.Time(context, "latency");
        int? extra = SchedulerOptions.Number(context, "extratime", 0, 1);
        int? weight = SchedulerOptions.Number(context, "weight", 1, 65535);
        if (period is null && slice is null && latency is null && extra is null && weight is null)
        {
            IReadOnlyList<SedfLine> lines = [.. SchedulerOptions.Domains(context, isChange: false)
                .Select(domain => Read(context, domain))];
            return context.Report(lines, XmJson.Default.IReadOnlyListSedfLine, list => Print(context, list));
        }

        return SchedulerOptions.Change(context, domain =>
        {
            DomId id = new((ushort)domain.Id);
            SedfReservation reservation = context.Hypervisor.Scheduling.GetSedf(id);
            reservation.Period = period ?? reservation.Period;
            reservation.Slice = slice ?? reservation.Slice;
            reservation.Latency = latency ?? reservation.Latency;
            reservation.ExtraTime = (uint?)extra ?? reservation.ExtraTime;
            reservation.Weight = (uint?)weight ?? reservation.Weight;
            Check(reservation);
            context.Hypervisor.Scheduling.SetSedf(id, reservation);
        });
    }

    /// <summary>Says which rule is broken; the hypervisor would only say that one is.</summary>
    private static void Check(SedfReservation wanted)
    {
        string? mistake = wanted switch
        {
            { Period: < 100_000 } => "the period is 0.1 ms at least",
            _ when wanted.Slice > wanted.Period => "the slice cannot be longer than the period",
            { Slice: 0, ExtraTime: 0 } => "without a slice and without extra time the domain would never run",
            { Slice: > 0 and < 10_000 } => "the slice is 0.01 ms at least, or 0 for none",
            { Latency: > 0 and < 50_000 } => "the latency is 0.05 ms at least, or 0 for none",
            _ when wanted.Latency > wanted.Period => "the latency cannot be longer than the period",
            _ => null,
        };
        if (mistake is not null)
        {
            throw new UsageException(mistake);
        }
    }

    private static SedfLine Read(CommandContext context, DomainReference domain)
    {
        SedfReservation own = context.Hypervisor.Scheduling.GetSedf(new DomId((ushort)domain.Id));
        return new SedfLine(
            domain.Name, domain.Id, SchedulerOptions.Milliseconds(own.Period), SchedulerOptions.Milliseconds(own.Slice),
            SchedulerOptions.Milliseconds(own.Latency), own.ExtraTime != 0, (int)own.Weight);
    }

    private static void Print(CommandContext context, IReadOnlyList<SedfLine> lines)
    {
        TableWriter table = new(
            context.Output, new("Name", 33, IsLeft: true), new("ID", 4), new("Period(ms)", 10), new("Slice(ms)", 9),
            new("Lat(ms)", 7), new("Extra", 5), new("Weight", 6));
        foreach (SedfLine line in lines)
        {
            table.Write(
                line.Name, SchedulerOptions.Text(line.Id), SchedulerOptions.Text(line.Period),
                SchedulerOptions.Text(line.Slice), SchedulerOptions.Text(line.Latency), line.ExtraTime ? "1" : "0",
                SchedulerOptions.Text(line.Weight));
        }
    }
}
