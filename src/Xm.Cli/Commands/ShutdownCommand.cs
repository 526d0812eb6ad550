// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Dom0.Toolstack;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;

namespace Xm.Cli.Commands;

internal static class ShutdownCommand
{
    private const int PollMilliseconds = 200;

    public static int Shutdown(CommandContext context) =>
        Run(context, context.Arguments.Has("halt") ? "halt" : context.Arguments.Has("reboot") ? "reboot" : "poweroff");

    public static int Reboot(CommandContext context) => Run(context, "reboot");

    private static int Run(CommandContext context, string request)
    {
        bool all = context.Arguments.Has("all");
        if (all == context.Arguments.Positional.Count > 0)
        {
            throw new UsageException($"{context.Command.Name} wants either a domain or --all");
        }

        IReadOnlyList<DomainReference> domains = all
            ? [.. context.Domains.List().Where(domain => domain.Id != 0).Select(domain => domain.Reference)]
            : [context.Domain()];
        foreach (DomainReference domain in domains)
        {
            Ask(context, domain, request);
        }

        if (context.Arguments.Has("wait"))
        {
            Wait(context, domains);
        }

        return context.Report(domains, XmJson.Default.IReadOnlyListDomainReference, _ => { });
    }

    private static void Ask(CommandContext context, DomainReference domain, string request)
    {
        if (domain.Id == 0)
        {
            throw new ToolstackException($"Domain-0 does not take orders from the store",
                $"Use the command {request} of its operating system");
        }

        DomainInfo info = context.Domains.Info(domain);
        if (info.IsShutdown || info.IsDying)
        {
            throw new ToolstackException($"the domain '{domain.Name}' has stopped already ({info.StateWord})",
                $"Remove it with 'xm destroy {domain.Name}'");
        }

        string control = $"{StoreEntries.DomainPath(domain.Id)}/control";
        StoreClient store = context.Store;
        if (request is "poweroff" or "reboot" && store.TryRead($"{control}/feature-{request}") is not "1")
        {
            context.Errors.WriteLine($"Warning: '{domain.Name}' has not announced that it obeys '{request}'; "
                + "it may still be booting, or its kernel may lack the driver.");
        }

        store.Write($"{control}/shutdown", request);
    }

    private static void Wait(CommandContext context, IReadOnlyList<DomainReference> domains)
    {
        using ProgressLine line = context.ProgressLine();
        while (true)
        {
            string[] running =
            [
                .. domains.Where(domain => context.Hypervisor.Domains.TryGetInfo(domain.Id)
                    is { IsShutdown: false, IsDying: false }).Select(domain => domain.Name),
            ];
            if (running.Length == 0)
            {
                return;
            }

            line.Show("waiting", () => $"Waiting for {string.Join(", ", running)}: {line.Elapsed.TotalSeconds:F0} s", isLast: false);
            Thread.Sleep(PollMilliseconds);
        }
    }
}
