// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Xend.Supervisor;

/// <summary>How long to wait before a process that died is started again: twice as long each time, up to a limit.</summary>
internal struct Backoff
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_stable = TimeSpan.FromSeconds(60);

    private TimeSpan _next;

    /// <summary>The wait after a process that lived this long; a long life is forgiven earlier deaths.</summary>
    public TimeSpan After(TimeSpan life)
    {
        TimeSpan wait = life >= s_stable || _next == TimeSpan.Zero ? s_first : _next;
        _next = wait * 2 < s_longest ? wait * 2 : s_longest;
        return wait;
    }
}
