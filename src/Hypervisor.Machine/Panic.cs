// SPDX-License-Identifier: MIT

using System;

namespace Hypervisor;

/// <summary>The end of the machine: the hypervisor found itself wrong.</summary>
public static class Panic
{
    /// <summary>Prints <paramref name="reason"/>, registers, call chain and trace tail on every console, then stops all CPUs.</summary>
    public static void Because(ReadOnlySpan<byte> reason) => Machine.Panic(reason);
}
