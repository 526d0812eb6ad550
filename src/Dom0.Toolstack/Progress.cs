// SPDX-License-Identifier: MIT
//
// What takes long says how far it has come, whoever waits for it: a command that does the work itself, or, by the daemon, one
// that asked for it. Both have the work done on a thread of theirs, so the listener is the thread's.
using System;

namespace Dom0.Toolstack;

/// <summary>Which step something long is at, in people's words; how far it is in it, where there is a total.</summary>
public readonly record struct StepProgress(string Step, long Done = 0, long Total = 0);

/// <summary>Where the steps of this thread's work are told.</summary>
public static class Progress
{
    [ThreadStatic]
    private static Action<StepProgress>? t_listener;

    /// <summary>Tells whoever listens, if anybody does.</summary>
    public static void Report(string step, long done = 0, long total = 0) =>
        t_listener?.Invoke(new StepProgress(step, done, total));

    /// <summary>Does something whose steps <paramref name="listener"/> is told.</summary>
    public static T While<T>(Action<StepProgress>? listener, Func<T> work)
    {
        Action<StepProgress>? former = t_listener;
        t_listener = listener;
        try
        {
            return work();
        }
        finally
        {
            t_listener = former;
        }
    }
}
