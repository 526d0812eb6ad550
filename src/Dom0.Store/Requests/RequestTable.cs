// SPDX-License-Identifier: MIT
using System;
using Dom0.Store.Connections;
using Dom0.Store.Transactions;
using Xen.Abi;

namespace Dom0.Store.Requests;

/// <summary>Which operation is answered by what.</summary>
public static class RequestTable
{
    /// <summary>Answers the complete message that a connection has sent; the answer is queued.</summary>
    public static void Serve(StoreState state, StoreConnection connection)
    {
        MessageHeader header = connection.Input.Header;
        Answer answer;
        try
        {
            answer = Answer(state, connection, header);
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            // A fault of this daemon. To die of it would be to meet the same request again after the next start.
            state.Log($"domain {connection.Identity.Domain}: {header.Type} failed by a fault of the store: {fault}");
            answer = StoreErrno.InputOutput;
        }

        XsdSockMsgType type = answer.Error == StoreErrno.Ok ? header.Type : XsdSockMsgType.Error;
        state.Trace(connection, header, connection.Input.Body, answer);
        state.Send(connection, (header with { Type = type }).Message(answer.Body));
        if (header.Type == XsdSockMsgType.Watch && answer.Error == StoreErrno.Ok)
        {
            // The first event comes at once and behind the answer: whoever watches then looks, and misses nothing.
            state.QueueEvent(connection.Watches[^1], connection.Watches[^1].Path);
        }
        else if (header.Type == XsdSockMsgType.Release && answer.Error == StoreErrno.Ok)
        {
            state.AnnounceSpecial(StoreState.ReleaseDomain);
        }
    }

    private static Answer Answer(StoreState state, StoreConnection connection, MessageHeader header)
    {
        TreeView view = state.Live;
        if (IsTransactional(header.Type) && header.Transaction != 0)
        {
            if (!connection.Transactions.TryGetValue(header.Transaction, out Transaction? transaction))
            {
                return StoreErrno.NoEntry;
            }

            view = transaction;
        }

        if (connection.IsReadOnly && Changes(header.Type))
        {
            return StoreErrno.ReadOnly;
        }

        Request request = new()
        {
            State = state,
            Connection = connection,
            Header = header,
            Body = connection.Input.Body,
            View = view,
        };
        return header.Type switch
        {
            XsdSockMsgType.Read => NodeRequests.Read(request),
            XsdSockMsgType.Write => NodeRequests.Write(request),
            XsdSockMsgType.Directory => NodeRequests.Directory(request),
            XsdSockMsgType.DirectoryPart => NodeRequests.DirectoryPart(request),
            XsdSockMsgType.GetPerms => NodeRequests.GetPermissions(request),
            XsdSockMsgType.SetPerms => NodeRequests.SetPermissions(request),
            XsdSockMsgType.MkDir => NodeRequests.MakeDirectory(request),
            XsdSockMsgType.Rm => NodeRequests.Remove(request),
            XsdSockMsgType.TransactionStart => TransactionRequests.Start(request),
            XsdSockMsgType.TransactionEnd => TransactionRequests.End(request),
            XsdSockMsgType.Watch => WatchRequests.Watch(request),
            XsdSockMsgType.Unwatch => WatchRequests.Unwatch(request),
            XsdSockMsgType.ResetWatches => WatchRequests.Reset(request),
            XsdSockMsgType.Introduce => DomainRequests.Introduce(request),
            XsdSockMsgType.Release => DomainRequests.Release(request),
            XsdSockMsgType.Resume => DomainRequests.Resume(request),
            XsdSockMsgType.SetTarget => DomainRequests.SetTarget(request),
            XsdSockMsgType.GetDomainPath => DomainRequests.GetPath(request),
            XsdSockMsgType.IsDomainIntroduced => DomainRequests.IsIntroduced(request),
            XsdSockMsgType.Control => ControlRequests.Control(request),
            _ => StoreErrno.NotImplemented,
        };
    }

    private static bool IsTransactional(XsdSockMsgType type) => type
        is XsdSockMsgType.Read or XsdSockMsgType.Write or XsdSockMsgType.Directory or XsdSockMsgType.DirectoryPart
        or XsdSockMsgType.GetPerms or XsdSockMsgType.SetPerms or XsdSockMsgType.MkDir or XsdSockMsgType.Rm
        or XsdSockMsgType.TransactionStart or XsdSockMsgType.TransactionEnd;

    private static bool Changes(XsdSockMsgType type) => type
        is XsdSockMsgType.Write or XsdSockMsgType.MkDir or XsdSockMsgType.Rm or XsdSockMsgType.SetPerms
        or XsdSockMsgType.Introduce or XsdSockMsgType.Release or XsdSockMsgType.Resume or XsdSockMsgType.SetTarget
        or XsdSockMsgType.Control;
}
