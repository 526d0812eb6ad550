// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Dom0.Toolstack.Domains;

namespace Xm.Cli.Commands;

/// <summary>What the commands of all schedulers have in common: which domains are meant, and numbers.</summary>
internal static class SchedulerOptions
{
    private const double NanosecondsPerMillisecond = 1e6;

    /// <summary>The domain named by -d or by the first argument; all of them with --all, or, where nothing is changed,
    /// without either.</summary>
    public static IReadOnlyList<DomainReference> Domains(CommandContext context, bool isChange)
    {
        string? name = context.Arguments.Value("domain") ?? context.Arguments.Positional.FirstOrDefault();
        bool isAll = context.Arguments.Has("all");
        if (name is not null && isAll)
        {
            throw new UsageException("either one domain is meant or --all");
        }

        if (name is not null)
        {
            return [context.Domains.Find(name)];
        }

        return isAll || !isChange
            ? [.. context.Domains.List().Select(domain => domain.Reference)]
            : throw new UsageException("say whose parameters are to change: add -d DOMAIN, or --all");
    }

    /// <summary>Changes every domain that is meant; one that is gone or refuses ends it.</summary>
    public static int Change(CommandContext context, Action<DomainReference> change)
    {
        IReadOnlyList<DomainReference> domains = Domains(context, isChange: true);
        foreach (DomainReference domain in domains)
        {
            change(domain);
        }

        return domains.Count == 1
            ? context.Done(domains[0])
            : context.Report(domains, XmJson.Default.IReadOnlyListDomainReference, _ => { });
    }

    /// <summary>The value of an option as a whole number; null: it was not given.</summary>
    public static int? Number(CommandContext context, string name, int minimum, int maximum) =>
        context.Arguments.Value(name) is { } text ? Number(name, text, minimum, maximum) : null;

    public static int Number(string name, string text, int minimum, int maximum) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && number >= minimum && number <= maximum
            ? number
            : throw new UsageException($"{name} is a number from {minimum} to {maximum}, not '{text}'");

    /// <summary>The value of an option in milliseconds, as nanoseconds; null: it was not given.</summary>
    public static ulong? Time(CommandContext context, string name) =>
        context.Arguments.Value(name) is { } text ? Time(name, text) : null;

    public static ulong Time(string name, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double time)
        && time <= 10_000
            ? (ulong)Math.Round(time * NanosecondsPerMillisecond)
            : throw new UsageException($"{name} is a time in milliseconds up to 10000, such as 20 or 2.5, not '{text}'");

    public static double Milliseconds(ulong nanoseconds) => nanoseconds / NanosecondsPerMillisecond;

    public static string Text(double milliseconds) => milliseconds.ToString("0.###", CultureInfo.InvariantCulture);

    public static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
