// SPDX-License-Identifier: MIT
using System.Globalization;
using Dom0.Toolstack;
using Dom0.Toolstack.Build;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class MemoryCommands
{
    public static int Set(CommandContext context)
    {
        DomainReference domain = context.Domain();
        ulong target = Size(context);
        StoreClient store = context.Store;
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

    private static ulong Size(CommandContext context) =>
        MemorySize.TryParse(context.Arguments.Positional[1], out ulong kiB) && kiB > 0
            ? kiB
            : throw new UsageException($"SIZE is a number of MiB, or has a suffix such as 512M or 2G, not "
                + $"'{context.Arguments.Positional[1]}'");
}
