// SPDX-License-Identifier: MIT
//
// Requests about nodes. A missing node is told from a forbidden one only to those who could have made it (or read it):
// what the nearest node above allows decides between ENOENT and EACCES.
using System;
using System.Globalization;
using System.Text;
using Dom0.Store.Quotas;
using Dom0.Store.Transactions;
using Dom0.Store.Tree;
using Xen.Abi;

namespace Dom0.Store.Requests;

/// <summary>Reading and changing nodes, in the live tree or in a transaction.</summary>
public static class NodeRequests
{
    /// <summary><c>XS_READ</c>.</summary>
    public static Answer Read(in Request request)
    {
        StoreErrno error = Find(request, NodeAccess.Read, NodeAspect.Value, out _, out StoreNode? node);
        return error == StoreErrno.Ok ? Answer.Of(node!.Value) : error;
    }

    /// <summary><c>XS_DIRECTORY</c>.</summary>
    public static Answer Directory(in Request request)
    {
        StoreErrno error = Find(request, NodeAccess.Read, NodeAspect.Names, out _, out StoreNode? node);
        if (error != StoreErrno.Ok)
        {
            return error;
        }

        byte[] listing = node!.Listing();
        return listing.Length > XenStoreLimits.PayloadMax ? StoreErrno.TooBig : Answer.Of(listing);
    }

    /// <summary>
    /// <c>XS_DIRECTORY_PART</c>: the listing from an offset on, as many whole names as fit behind its generation; an
    /// empty name ends the last part.
    /// </summary>
    public static Answer DirectoryPart(in Request request)
    {
        RequestBody body = new(request.Body);
        NodePath? path = NodePath.Parse(body.Bytes(), request.Identity.Domain);
        ulong offset = body.Number();
        if (path is null || !body.IsAtEnd)
        {
            return StoreErrno.Invalid;
        }

        StoreErrno error = Find(request, path, NodeAccess.Read, NodeAspect.Names, out StoreNode? node);
        if (error != StoreErrno.Ok)
        {
            return error;
        }

        byte[] listing = node!.Listing();
        string generation = string.Create(CultureInfo.InvariantCulture, $"{node.NamesGeneration}\0");
        ReadOnlySpan<byte> rest = offset < (ulong)listing.Length ? listing.AsSpan((int)offset) : [];
        int room = XenStoreLimits.PayloadMax - generation.Length - 1;
        if (rest.Length > room)
        {
            // A name is at most as long as a path, so at least one fits.
            return Answer.Of([.. Encoding.ASCII.GetBytes(generation), .. rest[..(rest[..room].LastIndexOf((byte)0) + 1)]]);
        }

        return Answer.Of([.. Encoding.ASCII.GetBytes(generation), .. rest, 0]);
    }

    /// <summary><c>XS_GET_PERMS</c>.</summary>
    public static Answer GetPermissions(in Request request)
    {
        if (request.State.SpecialPermissions(Encoding.Latin1.GetString(request.Body.TrimEnd((byte)0))) is { } special)
        {
            return special.For(request.Identity).HasFlag(NodeAccess.Read)
                ? Answer.Of(special.Format())
                : StoreErrno.AccessDenied;
        }

        StoreErrno error = Find(request, NodeAccess.Read, NodeAspect.Presence, out _, out StoreNode? node);
        return error == StoreErrno.Ok ? Answer.Of(node!.Permissions.Format()) : error;
    }

    /// <summary><c>XS_WRITE</c>: the value is what is left behind the path, zeros and all.</summary>
    public static Answer Write(in Request request)
    {
        RequestBody body = new(request.Body);
        NodePath? path = NodePath.Parse(body.Bytes(), request.Identity.Domain);
        if (path is null || body.IsBroken)
        {
            return StoreErrno.Invalid;
        }

        StoreErrno error = Find(request, path, NodeAccess.Write, NodeAspect.Presence, out StoreNode? node);
        byte[] value = body.Rest.ToArray();
        if (error == StoreErrno.NoEntry)
        {
            error = Create(request, path, value);
        }
        else if (error == StoreErrno.Ok)
        {
            error = CheckContent(request, path, value.Length, node!.Permissions, value.Length - node.Value.Length);
            error = error == StoreErrno.Ok ? request.View.Apply(Mutation.SetValue(path, value)) : error;
        }

        if (error == StoreErrno.Ok)
        {
            request.View.Announce(path.Text);
        }

        return error;
    }

    /// <summary><c>XS_MKDIR</c>: a node that exists is no error, and no change.</summary>
    public static Answer MakeDirectory(in Request request)
    {
        StoreErrno error = Find(request, NodeAccess.Write, NodeAspect.Presence, out NodePath? path, out _);
        if (error != StoreErrno.NoEntry)
        {
            return error;
        }

        error = Create(request, path!, []);
        if (error == StoreErrno.Ok)
        {
            request.View.Announce(path!.Text);
        }

        return error;
    }

    /// <summary><c>XS_RM</c>: a node that does not exist is no error if the one above it does.</summary>
    public static Answer Remove(in Request request)
    {
        StoreErrno error = Find(request, NodeAccess.Write, NodeAspect.Presence, out NodePath? path, out StoreNode? node);
        if (error == StoreErrno.NoEntry && TreeSearch.Find(request.View.Root, path!.Parent()) is not null)
        {
            return Answer.Done;
        }

        if (error == StoreErrno.Ok && path!.IsRoot)
        {
            return StoreErrno.Invalid;
        }

        if (error == StoreErrno.Ok)
        {
            error = request.View.Apply(Mutation.Remove(path!));
        }

        if (error != StoreErrno.Ok)
        {
            return error;
        }

        request.View.AnnounceRemoval(path!, node!);
        return Answer.Done;
    }

    /// <summary><c>XS_SET_PERMS</c>: only the owner may, and only tools may change who that is.</summary>
    public static Answer SetPermissions(in Request request)
    {
        RequestBody body = new(request.Body);
        ReadOnlySpan<byte> name = body.Bytes();
        if (!request.Identity.IsPrivileged
            && body.Rest.Count((byte)0) > request.State.Quotas[QuotaKind.NodePermissions])
        {
            return request.State.Refuse(request.Identity, QuotaKind.NodePermissions, "a list of permissions");
        }

        NodePermissions? permissions = body.IsBroken || (!body.Rest.IsEmpty && body.Rest[^1] != 0)
            ? null
            : NodePermissions.Parse(body.Rest, request.State.Exists);
        if (permissions is null)
        {
            return StoreErrno.Invalid;
        }

        if (request.State.SpecialPermissions(Encoding.Latin1.GetString(name)) is { } special)
        {
            if (!special.For(request.Identity).HasFlag(NodeAccess.Own))
            {
                return StoreErrno.AccessDenied;
            }

            request.State.SetSpecialPermissions(Encoding.Latin1.GetString(name), permissions);
            return Answer.Done;
        }

        NodePath? path = NodePath.Parse(name, request.Identity.Domain);
        if (path is null)
        {
            return StoreErrno.Invalid;
        }

        if (permissions.Entries[0].IsVoid)
        {
            return StoreErrno.NoEntry;
        }

        StoreErrno error = Find(request, path, NodeAccess.Write | NodeAccess.Own, NodeAspect.Presence, out StoreNode? node);
        if (error != StoreErrno.Ok)
        {
            return error;
        }

        if (!request.Identity.IsPrivileged && permissions.Owner != node!.Permissions.Owner)
        {
            return StoreErrno.NotPermitted;
        }

        error = CheckContent(request, path, node!.Value.Length, permissions,
            8 * (permissions.Entries.Length - node.Permissions.Entries.Length));
        error = error == StoreErrno.Ok ? request.View.Apply(Mutation.SetPermissions(path, permissions)) : error;
        if (error == StoreErrno.Ok)
        {
            request.View.Announce(path.Text, node.Permissions);
        }

        return error;
    }

    /// <summary>For requests whose body is a path and nothing else.</summary>
    private static StoreErrno Find(
        in Request request, NodeAccess wanted, NodeAspect aspect, out NodePath? path, out StoreNode? node)
    {
        RequestBody body = new(request.Body);
        path = NodePath.Parse(body.Bytes(), request.Identity.Domain);
        node = null;
        return path is null || !body.IsAtEnd ? StoreErrno.Invalid : Find(request, path, wanted, aspect, out node);
    }

    /// <summary>The node, if it exists and allows what is <paramref name="wanted"/>.</summary>
    private static StoreErrno Find(
        in Request request, NodePath path, NodeAccess wanted, NodeAspect aspect, out StoreNode? node)
    {
        StoreNode nearest = TreeSearch.FindNearest(request.View.Root, path, out int depth);
        bool exists = depth == path.Names.Length;
        node = exists ? nearest : null;
        bool noted = exists
            ? request.View.Touch(path, NodeAspect.Presence | aspect)
            : request.View.Touch(path.Prefix(depth), NodeAspect.Presence)
                && request.View.Touch(path.Prefix(depth + 1), NodeAspect.Presence);
        if (!noted)
        {
            return request.State.Refuse(request.Identity, QuotaKind.TransactionNodes, path.Text);
        }

        NodeAccess given = nearest.Permissions.For(request.Identity) & wanted;
        return exists
            ? given == wanted ? StoreErrno.Ok : StoreErrno.AccessDenied
            : given != NodeAccess.None ? StoreErrno.NoEntry : StoreErrno.AccessDenied;
    }

    /// <summary>Makes a node and all that are missing on the way; the caller has found that it may.</summary>
    private static StoreErrno Create(in Request request, NodePath path, byte[] value)
    {
        StoreNode nearest = TreeSearch.FindNearest(request.View.Root, path, out int depth);
        ushort domain = request.Identity.Domain;
        bool isGuest = !request.Identity.IsPrivileged;
        // A guest owns what it makes; tools make nodes for whoever owns the directory.
        NodePermissions permissions = isGuest ? nearest.Permissions.OwnedBy(domain) : nearest.Permissions;
        int count = path.Names.Length - depth;
        if (isGuest && request.View.NodesOf(domain) + count > request.State.Quotas[QuotaKind.Nodes])
        {
            return request.State.Refuse(request.Identity, QuotaKind.Nodes, path.Text);
        }

        int growth = value.Length;
        foreach (string name in path.Names[depth..])
        {
            growth += StoreSizes.OfNode(name, 0, permissions);
        }

        StoreErrno error = CheckContent(request, path, value.Length, permissions, growth);
        return error == StoreErrno.Ok ? request.View.Apply(Mutation.Create(path, value, permissions)) : error;
    }

    private static StoreErrno CheckContent(
        in Request request, NodePath path, int valueBytes, NodePermissions permissions, int growth)
    {
        if (request.Identity.IsPrivileged)
        {
            return StoreErrno.Ok;
        }

        if (StoreSizes.OfContent(valueBytes, permissions) > request.State.Quotas[QuotaKind.NodeSize])
        {
            return request.State.Refuse(request.Identity, QuotaKind.NodeSize, path.Text);
        }

        return growth > 0
            && request.View.MemoryOf(request.Identity.Domain) + growth > request.State.Quotas[QuotaKind.Memory]
            ? request.State.Refuse(request.Identity, QuotaKind.Memory, path.Text)
            : StoreErrno.Ok;
    }
}
