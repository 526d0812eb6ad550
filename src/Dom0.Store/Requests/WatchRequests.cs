// SPDX-License-Identifier: MIT
using System;
using System.Text;
using Dom0.Store.Quotas;
using Dom0.Store.Tree;

namespace Dom0.Store.Requests;

/// <summary>Setting and ending watches.</summary>
public static class WatchRequests
{
    /// <summary><c>XS_WATCH</c>.</summary>
    public static Answer Watch(in Request request)
    {
        if (Parse(request, out string path, out string token, out int relativeTo) is StoreErrno.Invalid)
        {
            return StoreErrno.Invalid;
        }

        StoreState state = request.State;
        if (Find(request, path, token) is not null)
        {
            return StoreErrno.Exists;
        }

        if (!request.Identity.IsPrivileged)
        {
            if (request.Connection.Watches.Count >= state.Quotas[QuotaKind.Watches])
            {
                return state.Refuse(request.Identity, QuotaKind.Watches, path);
            }

            if (state.Account(request.Identity.Domain).Memory + StoreSizes.OfWatch(path, token)
                > state.Quotas[QuotaKind.Memory])
            {
                return state.Refuse(request.Identity, QuotaKind.Memory, path);
            }
        }

        state.AddWatch(request.Connection, path, token, relativeTo);
        return Answer.Done;
    }

    /// <summary><c>XS_UNWATCH</c>.</summary>
    public static Answer Unwatch(in Request request)
    {
        if (Parse(request, out string path, out string token, out _) is StoreErrno.Invalid)
        {
            return StoreErrno.Invalid;
        }

        Watches.Watch? watch = Find(request, path, token);
        if (watch is null)
        {
            return StoreErrno.NoEntry;
        }

        request.State.RemoveWatch(watch);
        return Answer.Done;
    }

    /// <summary><c>XS_RESET_WATCHES</c>: no watches and no transactions any more, as a kernel wants that starts anew.</summary>
    public static Answer Reset(in Request request)
    {
        request.State.ForgetRequests(request.Connection);
        return Answer.Done;
    }

    /// <summary>Path and token; what a later version of the protocol puts behind them is not looked at.</summary>
    private static StoreErrno Parse(in Request request, out string path, out string token, out int relativeTo)
    {
        RequestBody body = new(request.Body);
        ReadOnlySpan<byte> name = body.Bytes();
        token = body.Text();
        path = "";
        relativeTo = 0;
        if (body.IsBroken || name.IsEmpty)
        {
            return StoreErrno.Invalid;
        }

        if (name[0] == (byte)'@')
        {
            // Event names are made of the same letters as nodes'; so '/@…' is one exactly if '@…' is.
            if (NodePath.Parse([(byte)'/', .. name], 0) is null)
            {
                return StoreErrno.Invalid;
            }

            path = Encoding.ASCII.GetString(name);
            return StoreErrno.Ok;
        }

        NodePath? node = NodePath.Parse(name, request.Identity.Domain);
        if (node is null)
        {
            return StoreErrno.Invalid;
        }

        path = node.Text;
        relativeTo = name[0] == (byte)'/' ? 0 : node.Text.Length - name.Length;
        return StoreErrno.Ok;
    }

    private static Watches.Watch? Find(in Request request, string path, string token)
    {
        foreach (Watches.Watch watch in request.Connection.Watches)
        {
            if (watch.Path == path && watch.Token == token)
            {
                return watch;
            }
        }

        return null;
    }
}
