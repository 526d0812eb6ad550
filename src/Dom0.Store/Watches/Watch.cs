// SPDX-License-Identifier: MIT
using Dom0.Store.Connections;

namespace Dom0.Store.Watches;

/// <summary>A connection's wish to hear of changes at a path and below.</summary>
/// <param name="Owner">Who gets the events.</param>
/// <param name="Path">An absolute path, or one that begins with <c>@</c>.</param>
/// <param name="Token">What the owner wants to be reminded of.</param>
/// <param name="RelativeTo">Length of what is cut off the paths in events, because the watch was set so; else 0.</param>
/// <param name="Serial">Grows from watch to watch; events go out in this order.</param>
public sealed record Watch(StoreConnection Owner, string Path, string Token, int RelativeTo, ulong Serial)
{
    /// <summary>How an event about <paramref name="path"/>, which is at or below the watch, calls it.</summary>
    public string PathInEvent(string path) => path[RelativeTo..];

    /// <inheritdoc/>
    public bool Equals(Watch? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => Serial.GetHashCode();
}
