// SPDX-License-Identifier: MIT
//
// Watches and their events. Who watches a path hears of changes there and below, in the order in which the watches were
// set; who may not know of a node does not hear of it.
using System.Collections.Generic;
using System.Text;
using Dom0.Store.Connections;
using Dom0.Store.Journal;
using Dom0.Store.Quotas;
using Dom0.Store.Transactions;
using Dom0.Store.Tree;
using Dom0.Store.Watches;
using Xen.Abi;

namespace Dom0.Store;

public sealed partial class StoreState
{
    private const int GuestEventBytes = 64 * 1024;
    private const int ToolEventBytes = 4 * 1024 * 1024;

    private readonly WatchTable _watches = new();
    private readonly List<Watch> _found = [];
    private ulong _watchSerial;

    /// <summary>Queues an event about <paramref name="path"/>, unless the same waits already.</summary>
    public void QueueEvent(Watch watch, string path)
    {
        StoreConnection connection = watch.Owner;
        string told = watch.PathInEvent(path);
        if (told.Length + watch.Token.Length + 2 > XenStoreLimits.PayloadMax)
        {
            // The watch's own path fits, because it came in a message together with the token.
            told = watch.PathInEvent(watch.Path);
        }

        if (connection.Output.Waits(told, watch.Token))
        {
            return;
        }

        int limit = connection.Identity.IsPrivileged ? ToolEventBytes : GuestEventBytes;
        if (connection.Output.EventBytes + told.Length + watch.Token.Length <= limit)
        {
            AddEvent(watch, told);
            return;
        }

        // An event of one watch may stand for another's of the same token: so all of them are told anew.
        List<Watch> sharing = connection.Watches.FindAll(each => each.Token == watch.Token);
        sharing.ForEach(DropEvents);
        sharing.ForEach(each => AddEvent(each, each.PathInEvent(each.Path)));
    }

    /// <summary>Sets a watch.</summary>
    public void AddWatch(StoreConnection connection, string path, string token, int relativeTo)
    {
        Watch watch = new(connection, path, token, relativeTo, ++_watchSerial);
        connection.Watches.Add(watch);
        _watches.Add(watch);
        DomainAccount account = Account(connection.Identity.Domain);
        account.Watches++;
        account.Memory += StoreSizes.OfWatch(path, token);
        if (connection.IsDurable)
        {
            _ = Records.Begin(RecordKind.Watch).Domain(connection.Identity.Domain).Text(path).Text(token)
                .Word((uint)relativeTo);
        }
    }

    /// <summary>Ends a watch; events that wait still go out.</summary>
    public void RemoveWatch(Watch watch)
    {
        StoreConnection connection = watch.Owner;
        if (connection.IsDurable)
        {
            _ = Records.Begin(RecordKind.Unwatch).Domain(connection.Identity.Domain).Text(watch.Path).Text(watch.Token);
        }

        _ = connection.Watches.Remove(watch);
        Uncount(watch);
    }

    /// <summary>
    /// Tells those who watch. A guest hears of a node that it may read, may have read before, or whose coming and going
    /// it could see by reading the directory above.
    /// </summary>
    public void Announce(TreeChange change)
    {
        FindWatches(change.Path, change.IsExact);
        foreach (Watch watch in _found)
        {
            DomainIdentity identity = watch.Owner.Identity;
            if (MayRead(identity, change.Node) || MayRead(identity, change.Former) || MayRead(identity, change.Above))
            {
                QueueEvent(watch, change.Path);
            }
        }
    }

    /// <summary>Tells those who watch a special event and may.</summary>
    public void AnnounceSpecial(string name)
    {
        _found.Clear();
        _watches.FindAt(name, _found);
        foreach (Watch watch in _found)
        {
            if (MayRead(watch.Owner.Identity, SpecialPermissions(name)))
            {
                QueueEvent(watch, name);
            }
        }
    }

    private static bool MayRead(DomainIdentity identity, NodePermissions? permissions) =>
        permissions is not null && permissions.For(identity).HasFlag(NodeAccess.Read);

    private void AddEvent(Watch watch, string told)
    {
        StoreConnection connection = watch.Owner;
        byte[] message = new MessageHeader(XsdSockMsgType.WatchEvent, 0, 0, 0)
            .Message(Encoding.Latin1.GetBytes($"{told}\0{watch.Token}\0"));
        connection.Output.AddEvent(message, watch, told);
        _ = Dirty.Add(connection);
        if (connection.IsDurable)
        {
            _ = Records.Begin(RecordKind.Event).Domain(connection.Identity.Domain).Text(watch.Path).Text(watch.Token)
                .Text(told).Blob(message);
        }
    }

    private void DropEvents(Watch watch)
    {
        StoreConnection connection = watch.Owner;
        connection.Output.DropEvents(watch);
        if (connection.IsDurable)
        {
            ushort domain = connection.Identity.Domain;
            _ = Records.Begin(RecordKind.Delivered).Domain(domain).Word(connection.AnswersGiven);
            _ = Records.Begin(RecordKind.DropEvents).Domain(domain).Text(watch.Path).Text(watch.Token);
        }
    }

    /// <summary>Leaves in <c>_found</c> the watches of a path, and those above it unless it is exact, oldest first.</summary>
    private void FindWatches(string path, bool isExact)
    {
        _found.Clear();
        if (isExact)
        {
            _watches.FindAt(path, _found);
        }
        else
        {
            _watches.FindAbove(path, _found);
        }

        _found.Sort(static (left, right) => left.Serial.CompareTo(right.Serial));
    }

    private void Uncount(Watch watch)
    {
        _watches.Remove(watch);
        DomainAccount account = Account(watch.Owner.Identity.Domain);
        account.Watches--;
        account.Memory -= StoreSizes.OfWatch(watch.Path, watch.Token);
    }
}
