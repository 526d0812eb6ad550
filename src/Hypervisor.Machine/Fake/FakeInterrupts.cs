// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;

namespace Hypervisor;

/// <summary>A pin of the fake machine's I/O APIC.</summary>
public sealed class FakePin
{
    public int Vector { get; set; }

    public uint Destination { get; set; }

    public bool IsLevel { get; set; }

    public bool IsActiveLow { get; set; }

    public bool IsMasked { get; set; } = true;
}

/// <summary>Interrupt controllers and PCI functions of the running thread's fake machine; a new machine needs a
/// <see cref="Reset"/> of these too.</summary>
public sealed class FakeInterrupts
{
    public const uint GsiCount = 24;

    [ThreadStatic]
    private static FakeInterrupts s_current;

    private FakeInterrupts()
    {
        for (uint gsi = 0; gsi < GsiCount; gsi++)
        {
            Pins[gsi] = new FakePin();
        }
    }

    public static FakeInterrupts Current => s_current ??= new FakeInterrupts();

    public Dictionary<uint, FakePin> Pins { get; } = [];

    /// <summary>256 bytes of configuration space by bus, device and function as in port CF8h (bits 23 to 8).</summary>
    public Dictionary<uint, byte[]> PciFunctions { get; } = [];

    public int EndOfInterrupts { get; set; }

    public int ConsolePolls { get; set; }

    public int ConsoleInterrupts { get; set; }

    public int ClearedStuckPins { get; set; }

    public static FakeInterrupts Reset() => s_current = new FakeInterrupts();
}
