// SPDX-License-Identifier: MIT
using System;
using System.Globalization;
using System.Text;

namespace Dom0.Store.Requests;

/// <summary>
/// Takes texts off the front of a request's body, each ended by a zero. Whatever is not there makes
/// <see cref="IsBroken"/> true, so that a handler asks once.
/// </summary>
public ref struct RequestBody
{
    /// <summary>Begins at the front.</summary>
    public RequestBody(ReadOnlySpan<byte> body) => Rest = body;

    /// <summary>What is not taken yet.</summary>
    public ReadOnlySpan<byte> Rest { get; private set; }

    /// <summary>Was something asked for that is not there?</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Is everything taken, and was all of it there?</summary>
    public readonly bool IsAtEnd => !IsBroken && Rest.IsEmpty;

    /// <summary>The next text, without its zero.</summary>
    public ReadOnlySpan<byte> Bytes()
    {
        int end = Rest.IndexOf((byte)0);
        if (end < 0)
        {
            IsBroken = true;
            Rest = [];
            return [];
        }

        ReadOnlySpan<byte> text = Rest[..end];
        Rest = Rest[(end + 1)..];
        return text;
    }

    /// <summary>The next text; bytes and characters are one to one.</summary>
    public string Text() => Encoding.Latin1.GetString(Bytes());

    /// <summary>The next text as a decimal number that is at most <paramref name="limit"/>.</summary>
    public ulong Number(ulong limit = ulong.MaxValue)
    {
        if (ulong.TryParse(Bytes(), NumberStyles.None, CultureInfo.InvariantCulture, out ulong number) && number <= limit)
        {
            return number;
        }

        IsBroken = true;
        return 0;
    }
}
