// SPDX-License-Identifier: MIT
// Where another CPU may get in between. What the hypervisor does is seen by others through locks, compare-exchanges, volatile
// words, memory of guests and the root register; so a test that decides at each of these which CPU goes on can play every
// interleaving that matters, and play it again.
//
// The sources say Interlocked and Volatile. In the host's libraries these names mean the classes of this folder, which lie in a
// namespace around every source's own and so come before what a using names; in the image they are the code generator's, and
// there is no such point.

using System;

namespace Hypervisor;

/// <summary>Points at which CPUs of the fake machine may be interleaved.</summary>
public static class StepPoints
{
    /// <summary>Called before each; null: nobody decides. There is one for all threads.</summary>
    public static Action OnStep { get; set; }

    internal static void Pass() => OnStep?.Invoke();
}
