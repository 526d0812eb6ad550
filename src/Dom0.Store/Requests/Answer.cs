// SPDX-License-Identifier: MIT
using System;
using System.Text;

namespace Dom0.Store.Requests;

/// <summary>What a request comes to: a body, or the reason why not.</summary>
public readonly struct Answer
{
    private static readonly byte[] s_done = "OK\0"u8.ToArray();

    private Answer(StoreErrno error, byte[] body)
    {
        Error = error;
        Body = body;
    }

    /// <summary>It is done, and there is nothing to tell.</summary>
    public static Answer Done => new(StoreErrno.Ok, s_done);

    /// <summary>Why not.</summary>
    public StoreErrno Error { get; }

    /// <summary>What there is to tell.</summary>
    public byte[] Body { get; }

    /// <summary>A refusal.</summary>
    public static implicit operator Answer(StoreErrno error) =>
        error == StoreErrno.Ok ? Done : new Answer(error, StoreErrnoText.Word(error).ToArray());

    /// <summary>A body as it goes out.</summary>
    public static Answer Of(byte[] body) => new(StoreErrno.Ok, body);

    /// <summary>A text; the caller says whether a zero ends it.</summary>
    public static Answer Of(string text) => Of(Encoding.Latin1.GetBytes(text));

    /// <summary>Calls <see cref="Of(byte[])"/> where a span is at hand.</summary>
    public static Answer Of(ReadOnlySpan<byte> body) => Of(body.ToArray());
}
