// SPDX-License-Identifier: MIT
//
// Who may do what. The first entry names the owner, and its letter counts for every domain that no other entry names;
// each further entry is for one domain. The owner may do everything, and so may Domain-0.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Dom0.Store.Tree;

/// <summary>What a domain may do with a node.</summary>
[Flags]
public enum NodeAccess : byte
{
    /// <summary><c>n</c>.</summary>
    None = 0,

    /// <summary><c>r</c>: value, names below, permissions.</summary>
    Read = 1,

    /// <summary><c>w</c>: value, new nodes below, removal.</summary>
    Write = 2,

    /// <summary>Change the permissions.</summary>
    Own = 4,
}

/// <summary>One entry of a list of permissions.</summary>
/// <param name="Domain">The domain's number.</param>
/// <param name="Access">Read, write, both or none.</param>
/// <param name="IsVoid">
/// The domain did not exist when the entry was made: it counts for nobody, least of all for a later domain of that number.
/// </param>
public readonly record struct PermissionEntry(ushort Domain, NodeAccess Access, bool IsVoid = false);

/// <summary>A node's list of permissions: never empty, never changed.</summary>
public sealed class NodePermissions
{
    /// <summary>Domain numbers from here on are not domains' (<c>DOMID_FIRST_RESERVED</c>).</summary>
    public const int FirstReservedDomain = 0x7FF0;

    private readonly PermissionEntry[] _entries;

    /// <summary>Takes over the entries, the owner's first.</summary>
    public NodePermissions(params PermissionEntry[] entries)
    {
        ArgumentOutOfRangeException.ThrowIfZero(entries.Length);
        _entries = entries;
    }

    /// <summary>Domain-0's alone: the permissions of the root.</summary>
    public static NodePermissions Tools { get; } = new(new PermissionEntry(0, NodeAccess.None));

    /// <summary>The owner's number.</summary>
    public ushort Owner => _entries[0].Domain;

    /// <summary>The entries, the owner's first.</summary>
    public ReadOnlySpan<PermissionEntry> Entries => _entries;

    /// <summary>
    /// What <paramref name="identity"/> may do; a device model has the rights of the domain that it serves.
    /// </summary>
    public NodeAccess For(DomainIdentity identity)
    {
        if (identity.IsPrivileged || identity.Covers(Owner))
        {
            return NodeAccess.Read | NodeAccess.Write | NodeAccess.Own;
        }

        for (int index = 1; index < _entries.Length; index++)
        {
            if (!_entries[index].IsVoid && identity.Covers(_entries[index].Domain))
            {
                return _entries[index].Access;
            }
        }

        return _entries[0].Access;
    }

    /// <summary>The same for another owner.</summary>
    public NodePermissions OwnedBy(ushort domain)
    {
        PermissionEntry[] entries = [.. _entries];
        entries[0] = entries[0] with { Domain = domain };
        return new NodePermissions(entries);
    }

    /// <summary>Without what it says about a domain that is gone; itself when that is nothing.</summary>
    public NodePermissions Without(ushort domain)
    {
        PermissionEntry[] kept = [_entries[0], .. Array.FindAll(_entries[1..], entry => entry.Domain != domain)];
        return kept.Length == _entries.Length ? this : new NodePermissions(kept);
    }

    /// <summary>Reads the texts of a request, each ended by a zero; null when one is not <c>[rwbn]number</c>.</summary>
    /// <param name="exists">Is there such a domain?</param>
    public static NodePermissions? Parse(ReadOnlySpan<byte> texts, Predicate<ushort> exists)
    {
        List<PermissionEntry> entries = [];
        while (!texts.IsEmpty)
        {
            int end = texts.IndexOf((byte)0);
            if (end < 2 || AccessOf(texts[0]) is not { } access
                || !ushort.TryParse(texts[1..end], NumberStyles.None, CultureInfo.InvariantCulture, out ushort domain))
            {
                return null;
            }

            entries.Add(new PermissionEntry(domain, access, domain >= FirstReservedDomain || !exists(domain)));
            texts = texts[(end + 1)..];
        }

        return entries.Count == 0 ? null : new NodePermissions([.. entries]);
    }

    /// <summary>The texts of an answer, each ended by a zero.</summary>
    public byte[] Format()
    {
        StringBuilder text = new();
        foreach (PermissionEntry entry in _entries)
        {
            char letter = (entry.Access & (NodeAccess.Read | NodeAccess.Write)) switch
            {
                NodeAccess.Read => 'r',
                NodeAccess.Write => 'w',
                NodeAccess.None => 'n',
                _ => 'b',
            };
            _ = text.Append(CultureInfo.InvariantCulture, $"{letter}{entry.Domain}\0");
        }

        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static NodeAccess? AccessOf(byte letter) => letter switch
    {
        (byte)'n' => NodeAccess.None,
        (byte)'r' => NodeAccess.Read,
        (byte)'w' => NodeAccess.Write,
        (byte)'b' => NodeAccess.Read | NodeAccess.Write,
        _ => null,
    };
}

/// <summary>On whose behalf a connection speaks.</summary>
/// <param name="Domain">The domain.</param>
/// <param name="Target">The domain that it serves as device model; its own number when there is none.</param>
public readonly record struct DomainIdentity(ushort Domain, ushort Target)
{
    /// <summary>A domain that serves none.</summary>
    public DomainIdentity(ushort domain)
        : this(domain, domain)
    {
    }

    /// <summary>May it do everything?</summary>
    public bool IsPrivileged => Domain == 0;

    /// <summary>Does it have the rights of <paramref name="domain"/>?</summary>
    public bool Covers(ushort domain) => Domain == domain || Target == domain;
}
