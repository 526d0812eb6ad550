// SPDX-License-Identifier: MIT
//
// How nodes are named. A path is '/' and names between single slashes; names consist of letters, digits and -/_@. A
// path without a leading slash is relative to the connection's own /local/domain/N. XENSTORE_ABS_PATH_MAX and
// XENSTORE_REL_PATH_MAX bound the whole, the second what comes behind /local/domain/N/.
using System;
using System.Buffers;
using System.Globalization;
using System.Text;
using Xen.Abi;

namespace Dom0.Store.Tree;

/// <summary>The name of a node that may exist: checked, absolute, and taken apart.</summary>
public sealed class NodePath
{
    /// <summary>Where the domains' own directories stand.</summary>
    public const string DomainsPrefix = "/local/domain/";

    private static readonly SearchValues<byte> s_allowed =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/_@"u8);

    private readonly string[] _names;

    private NodePath(string text, string[] names)
    {
        Text = text;
        _names = names;
    }

    /// <summary>The path of everything.</summary>
    public static NodePath Root { get; } = new("/", []);

    /// <summary>The absolute path.</summary>
    public string Text { get; }

    /// <summary>The names from the root down; none for the root.</summary>
    public ReadOnlySpan<string> Names => _names;

    /// <summary>Is this the root?</summary>
    public bool IsRoot => _names.Length == 0;

    /// <summary>The directory of a domain.</summary>
    public static string OfDomain(int domain) => string.Create(CultureInfo.InvariantCulture, $"{DomainsPrefix}{domain}");

    /// <summary>A path that the daemon itself wrote or checked before.</summary>
    public static NodePath Trusted(string text) =>
        text == "/" ? Root : new NodePath(text, text[1..].Split('/'));

    /// <summary>Checks what a connection of <paramref name="domain"/> sent; null when no node has such a name.</summary>
    public static NodePath? Parse(ReadOnlySpan<byte> sent, int domain)
    {
        if (sent.IsEmpty || sent[0] == (byte)'@' || sent.ContainsAnyExcept(s_allowed))
        {
            return null;
        }

        string text = Encoding.ASCII.GetString(sent);
        if (sent[0] != (byte)'/')
        {
            text = $"{OfDomain(domain)}/{text}";
        }

        return IsWellFormed(text) ? Trusted(text) : null;
    }

    /// <summary>The path one level up; the root's is the root.</summary>
    public NodePath Parent()
    {
        int slash = Text.LastIndexOf('/');
        return slash <= 0 ? Root : new NodePath(Text[..slash], _names[..^1]);
    }

    /// <summary>The path of the first <paramref name="depth"/> names.</summary>
    public NodePath Prefix(int depth) =>
        depth == _names.Length ? this : Trusted("/" + string.Join('/', _names, 0, depth));

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static bool IsWellFormed(string text)
    {
        if ((text.Length > 1 && text[^1] == '/') || text.Contains("//", StringComparison.Ordinal))
        {
            return false;
        }

        return text.Length - DomainPrefixLength(text) is int rest && rest == text.Length
            ? rest <= XenStoreLimits.AbsPathMax
            : rest <= XenStoreLimits.RelPathMax;
    }

    /// <summary>How much of a path is <c>/local/domain/N/</c>; 0 when it does not begin like that.</summary>
    private static int DomainPrefixLength(string text)
    {
        if (!text.StartsWith(DomainsPrefix, StringComparison.Ordinal))
        {
            return 0;
        }

        int end = DomainsPrefix.Length;
        while (end < text.Length && char.IsAsciiDigit(text[end]))
        {
            end++;
        }

        bool isNumber = end > DomainsPrefix.Length && end - DomainsPrefix.Length <= 5;
        return isNumber && end < text.Length && text[end] == '/' ? end + 1 : 0;
    }
}
