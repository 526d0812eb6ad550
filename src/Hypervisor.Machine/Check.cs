// SPDX-License-Identifier: MIT

using System;
using System.Diagnostics;

namespace Hypervisor;

/// <summary>What the hypervisor guarantees to itself. A guest's mistakes are never checked here: those are an <c>Errno</c>.</summary>
public static class Check
{
    /// <summary>Panics when <paramref name="condition"/> is false; compiled only into builds with assertions.</summary>
    [Conditional("DEBUG")]
    public static void That(bool condition, ReadOnlySpan<byte> what)
    {
        if (!condition)
        {
            Panic.Because(what);
        }
    }
}
