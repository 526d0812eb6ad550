// SPDX-License-Identifier: MIT
//
// XS_CONTROL, what xenstore-control sends: a command and its parameters, each ended by a zero. For tools alone.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;
using Dom0.Store.Journal;
using Dom0.Store.Quotas;
using Dom0.Store.Tree;

namespace Dom0.Store.Requests;

/// <summary>Looking after the daemon itself.</summary>
public static class ControlRequests
{
    private const string Help =
        "check\t\nhelp\t\nlog\ton|off\nprint\t<string>\nquota\t[set <name> <val>|<domid>|max]\n";

    /// <summary><c>XS_CONTROL</c>.</summary>
    public static Answer Control(in Request request)
    {
        if (!request.Identity.IsPrivileged)
        {
            return StoreErrno.AccessDenied;
        }

        if (request.Body.IsEmpty || request.Body[^1] != 0)
        {
            return StoreErrno.Invalid;
        }

        string[] words = Encoding.Latin1.GetString(request.Body[..^1]).Split('\0');
        StoreState state = request.State;
        switch (words)
        {
            case ["help"]:
                return Answer.Of(Help);
            case ["check"]:
                return Check(state);
            case ["log", "on" or "off"]:
                state.IsTracing = words[1] == "on";
                return Answer.Done;
            case ["print", _]:
                state.Log(words[1]);
                return Answer.Done;
            case ["quota"]:
                return Answer.Of("Quota settings:\n" + string.Concat(QuotaTable.All().Select(kind =>
                    string.Create(CultureInfo.InvariantCulture,
                        $"{QuotaTable.Name(kind),-17}: {state.Quotas[kind],8} {QuotaTable.Description(kind)}\n"))));
            case ["quota", "set", _, _]:
                return SetQuota(state, words[2], words[3]);
            case ["quota", "max"]:
                return Answer.Of("Max values:\n" + Lines(kind => state.MaximumOf(kind)) + "\0");
            case ["quota", _]:
                return ushort.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out ushort domain)
                    ? state.IsIntroduced(domain) ? Answer.Of(Usage(state, domain)) : StoreErrno.NoEntry
                    : StoreErrno.Invalid;
            default:
                return StoreErrno.Invalid;
        }
    }

    private static Answer SetQuota(StoreState state, string name, string value)
    {
        if (QuotaTable.Find(name) is not { } kind
            || !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int limit) || limit == 0)
        {
            return StoreErrno.Invalid;
        }

        state.Quotas[kind] = limit;
        _ = state.Records.Begin(RecordKind.Quota).Byte((byte)kind).Word((uint)limit);
        return Answer.Done;
    }

    private static string Usage(StoreState state, ushort domain)
    {
        DomainAccount account = state.Account(domain);
        StringBuilder text = new();
        _ = text.Append(CultureInfo.InvariantCulture, $"Domain {domain}:\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"{"nodes",-17}: {account.Nodes,8}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"{"watches",-17}: {account.Watches,8}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"{"transactions",-17}: {account.Transactions,8}\n");
        _ = text.Append(CultureInfo.InvariantCulture,
            $"{"outstanding",-17}: {state.Domain(domain)?.Connection.Output.Answers ?? 0,8}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"{"memory",-17}: {account.Memory,8}\n");
        foreach (QuotaKind kind in QuotaTable.All().Where(kind => account.Refusals(kind) != 0))
        {
            _ = text.Append(CultureInfo.InvariantCulture,
                $"refused for {QuotaTable.Name(kind)}: {account.Refusals(kind)} times\n");
        }

        return text.Append('\0').ToString();
    }

    private static string Lines(Func<QuotaKind, long> value) =>
        string.Concat(((QuotaKind[])[QuotaKind.Nodes, QuotaKind.Watches, QuotaKind.Transactions, QuotaKind.Memory])
            .Select(kind => string.Create(CultureInfo.InvariantCulture, $"{QuotaTable.Name(kind),-17}: {value(kind),8}\n")));

    /// <summary>Counts all that the accounts claim once more; they can only differ by a fault of the daemon.</summary>
    private static Answer Check(StoreState state)
    {
        Dictionary<ushort, int> nodes = [];
        foreach ((_, _, StoreNode node) in TreeSearch.Walk("/", state.Root))
        {
            nodes[node.Permissions.Owner] = nodes.GetValueOrDefault(node.Permissions.Owner) + 1;
        }

        bool isSound = state.Accounts.All(account => account.Value.Nodes == nodes.GetValueOrDefault(account.Key))
            && nodes.All(count => state.Account(count.Key).Nodes == count.Value);
        if (isSound)
        {
            return Answer.Done;
        }

        state.Log("check: the accounts of nodes do not agree with the tree");
        return StoreErrno.InputOutput;
    }
}
