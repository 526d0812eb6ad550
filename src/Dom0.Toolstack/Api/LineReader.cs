// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;

namespace Dom0.Toolstack.Api;

/// <summary>Cuts a stream of bytes into lines of bounded length.</summary>
public sealed class LineReader
{
    private readonly List<byte> _bytes = [];
    private readonly int _limit;

    /// <summary>Takes lines of up to <paramref name="limit"/> bytes.</summary>
    public LineReader(int limit) => _limit = limit;

    /// <summary>Does the line under way exceed the limit?</summary>
    public bool IsTooLong => _bytes.Count > _limit;

    /// <summary>Adds bytes that arrived.</summary>
    public void Append(ReadOnlySpan<byte> data) => _bytes.AddRange(data);

    /// <summary>Takes the next whole line, without its end; null when there is none yet.</summary>
    public byte[]? TakeLine()
    {
        int end = _bytes.IndexOf((byte)'\n');
        if (end < 0)
        {
            return null;
        }

        byte[] line = [.. _bytes.GetRange(0, end)];
        _bytes.RemoveRange(0, end + 1);
        return line;
    }

    /// <summary>Takes what is there, whole line or not: after this the stream is no longer lines.</summary>
    public byte[] TakeRest()
    {
        byte[] rest = [.. _bytes];
        _bytes.Clear();
        return rest;
    }
}
