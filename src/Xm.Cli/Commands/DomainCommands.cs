// SPDX-License-Identifier: MIT
using System.Linq;
using Dom0.Toolstack;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Hypercalls;
using Dom0.Toolstack.Store;
using Xen.Abi;

namespace Xm.Cli.Commands;

internal static class DomainCommands
{
    public static int Destroy(CommandContext context)
    {
        DomainReference domain = context.Domain();
        DomainDestroyer.Destroy(context.Hypervisor, context.Store, domain);
        return context.Done(domain);
    }

    public static int Pause(CommandContext context)
    {
        DomainReference domain = context.Domain();
        if (domain.Id == 0)
        {
            throw new ToolstackException("Domain-0 cannot be paused: it runs this command");
        }

        context.Hypervisor.Domains.Pause(new DomId((ushort)domain.Id));
        return context.Done(domain);
    }

    public static int Unpause(CommandContext context)
    {
        DomainReference domain = context.Domain();
        context.Hypervisor.Domains.Unpause(new DomId((ushort)domain.Id));
        return context.Done(domain);
    }

    public static int Rename(CommandContext context)
    {
        DomainReference domain = context.Domain();
        string name = context.Arguments.Positional[1];
        if (name.All(char.IsAsciiDigit) || name.Any(c => c <= ' ' || c == '/' || c >= 127))
        {
            throw new UsageException(
                $"'{name}' cannot name a domain: names are printable, without spaces and slashes, and not just digits");
        }

        foreach (DomainInfo other in context.Hypervisor.System.ListDomains())
        {
            if (other.Id != domain.Id && context.Domains.NameOf(other.Id) == name)
            {
                throw new ToolstackException($"there is a domain '{name}' already, number {other.Id}",
                    "Choose another name");
            }
        }

        string path = StoreEntries.DomainPath(domain.Id);
        StoreClient store = context.Store;
        store.Write($"{path}/name", name);
        if (store.TryRead($"{path}/vm") is { Length: > 0 } vm)
        {
            store.Write($"{vm}/name", name);
        }

        return context.Done(domain with { Name = name });
    }

    public static int SysRq(CommandContext context)
    {
        DomainReference domain = context.Domain();
        string letter = context.Arguments.Positional[1];
        if (letter.Length != 1 || !char.IsAscii(letter[0]))
        {
            throw new UsageException($"LETTER is one character, not '{letter}'");
        }

        context.Store.Write($"{StoreEntries.DomainPath(domain.Id)}/control/sysrq", letter);
        return context.Done(domain);
    }

    public static int Trigger(CommandContext context)
    {
        DomainReference domain = context.Domain();
        TriggerType trigger = context.Arguments.Positional[1] switch
        {
            "nmi" => TriggerType.Nmi,
            "reset" => TriggerType.Reset,
            "init" => TriggerType.Init,
            "power" => TriggerType.Power,
            "sleep" or "s3resume" => TriggerType.Sleep,
            { } other =>
                throw new UsageException($"the signals are nmi, reset, init, power and s3resume, not '{other}'"),
        };
        int vcpu = context.Arguments.Positional.Count > 2 ? context.Number(2, "VCPU", 0, 4095) : 0;
        context.Hypervisor.Domains.SendTrigger(new DomId((ushort)domain.Id), trigger, vcpu);
        return context.Done(domain);
    }
}
