// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;

namespace Dom0.Xend.Domains;

/// <summary>A domain that stops as soon as it runs is not started over for ever.</summary>
internal static class RestartLimit
{
    /// <summary>How many restarts there may be within the window.</summary>
    public const int Count = 5;

    /// <summary>How far back restarts count.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(60);

    /// <summary>May the domain be started over once more?</summary>
    public static bool Allows(IReadOnlyList<DateTimeOffset> restarts, DateTimeOffset now) =>
        Recent(restarts, now).Count() < Count;

    /// <summary>The restarts that still count, and this one.</summary>
    public static IReadOnlyList<DateTimeOffset> Add(IReadOnlyList<DateTimeOffset> restarts, DateTimeOffset now) =>
        [.. Recent(restarts, now), now];

    /// <summary>A time in the future comes from a clock that was set back, and counts no less.</summary>
    private static IEnumerable<DateTimeOffset> Recent(IReadOnlyList<DateTimeOffset> restarts, DateTimeOffset now) =>
        restarts.Where(time => time > now - Window);
}
