// SPDX-License-Identifier: MIT
using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class MemoryCommands
{
    private const int DefaultSeconds = 30;
    private const int PollMilliseconds = 100;

    /// <summary>A guest that has not moved for so long will not.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Guests count some pages differently: those of their own tables, and those that the hypervisor keeps.</summary>
    private const ulong ToleranceKib = 4096;

    public static int Set(CommandContext context)
    {
        DomainReference domain = context.Domain();
        ulong target = Size(context);
        StoreClient store = context.Store;
        int seconds = context.Option("wait", 0, 86400) ?? DefaultSeconds;
        RefuseTooLittle(context, domain, target);
        string memory = $"{StoreEntries.DomainPath(domain.Id)}/memory";
        if (ulong.TryParse(store.TryRead($"{memory}/static-max"), out ulong ceiling) && target > ceiling)
        {
            throw new ToolstackException(
                $"{target / 1024} MiB are more than '{domain.Name}' can ever have, which is {ceiling / 1024} MiB",
                "The ceiling is set when the domain is created, by maxmem");
        }

        // Room first, request second: a guest that obeys at once must not be refused its memory.
        context.Hypervisor.Domains.SetMaximumMemory(new DomId((ushort)domain.Id), target + PvDomainBuilder.SlackKiB);
        store.Write($"{memory}/target", target.ToString(CultureInfo.InvariantCulture));
        Follow(context, domain, target, seconds);
        return context.Done(domain);
    }

    public static int Maximum(CommandContext context)
    {
        DomainReference domain = context.Domain();
        ulong limit = Size(context);
        ulong used = context.Domains.Info(domain).MemoryKib;
        if (limit < used)
        {
            throw new ToolstackException(
                $"'{domain.Name}' uses {used / 1024} MiB; a limit of {limit / 1024} MiB is too low",
                $"First: xm mem-set {domain.Name} {limit / 1024}");
        }

        context.Hypervisor.Domains.SetMaximumMemory(new DomId((ushort)domain.Id), limit + PvDomainBuilder.SlackKiB);
        return context.Done(domain);
    }

    private static void RefuseTooLittle(CommandContext context, DomainReference domain, ulong target)
    {
        if (domain.Id == 0 && Dom0Floor.Read(context.Domains.Info(domain).MemoryKib) is { } floor && target < floor)
        {
            throw new ToolstackException(
                $"Domain-0 cannot do with {target / 1024} MiB: with less than {(floor + 1023) / 1024} MiB it would have to "
                    + "kill programs, this one among them",
                "Ask for more, or end programs in Domain-0 first");
        }
    }

    /// <summary>
    /// Shows how far the guest's balloon has come until it is there, does not move any more, or the time is up; says what it
    /// has if that is not what was wanted.
    /// </summary>
    private static void Follow(CommandContext context, DomainReference domain, ulong target, int seconds)
    {
        long start = Stopwatch.GetTimestamp();
        long moved = start;
        ulong last = 0;
        bool isShown = !Console.IsErrorRedirected;
        int width = 0;
        while (true)
        {
            DomainInfo info = context.Domains.Info(domain);
            ulong has = info.TotalPages * 4;
            if (has != last)
            {
                (last, moved) = (has, Stopwatch.GetTimestamp());
                if (isShown)
                {
                    string line = $"{domain.Name}: {has / 1024} MiB on the way to {target / 1024} MiB";
                    context.Errors.Write("\r" + line.PadRight(width));
                    width = line.Length;
                }
            }

            bool isThere = has + ToleranceKib >= target && has <= target + ToleranceKib;
            if (isThere || info.IsPaused || info.IsShutdown || Stopwatch.GetElapsedTime(start).TotalSeconds >= seconds
                || Stopwatch.GetElapsedTime(moved) >= s_patience)
            {
                context.Errors.Write(width > 0 ? "\r" + new string(' ', width) + "\r" : "");
                if (!isThere && seconds > 0)
                {
                    string why = info.IsPaused ? "it is paused" : info.IsShutdown ? "it has stopped" : "its balloon has come no further";
                    context.Errors.WriteLine(
                        $"Warning: '{domain.Name}' has {has / 1024} MiB and not {target / 1024} MiB: {why}.");
                }

                return;
            }

            Thread.Sleep(PollMilliseconds);
        }
    }

    private static ulong Size(CommandContext context) =>
        MemorySize.TryParse(context.Arguments.Positional[1], out ulong kiB) && kiB > 0
            ? kiB
            : throw new UsageException($"SIZE is a number of MiB, or has a suffix such as 512M or 2G, not "
                + $"'{context.Arguments.Positional[1]}'");
}
