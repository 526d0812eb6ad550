// SPDX-License-Identifier: MIT
// The last sixteen notable events of each CPU, kept in its CpuInfo and printed by a panic. Only what is rare enough to cost
// nothing is recorded: switches, interrupts, requests of the tools, crashes; no hypercall or fault of a running guest.

namespace Hypervisor;

/// <summary>What a trace entry is about; its two arguments are named here.</summary>
public enum TraceEvent : ulong
{
    None = 0,

    /// <summary>Domain number, vCPU number.</summary>
    Switch = 1,

    /// <summary>Vector.</summary>
    Interrupt = 2,

    /// <summary>Domain that was crashed.</summary>
    Crash = 3,

    /// <summary>Guarded access of the hypervisor that faulted: vector, address of the instruction.</summary>
    Fixup = 4,

    /// <summary>Domain, stage of its destruction.</summary>
    Destruction = 5,
}

/// <summary>The trace ring of the running CPU.</summary>
public static unsafe class Trace
{
    public const int Entries = 16;
    private const int WordsPerEntry = 3;
    private const ulong EventMask = 0xFF;
    private const int FirstArgumentShift = 8;

    /// <summary>Records an event; <paramref name="first"/> has 56 bits.</summary>
    public static void Record(TraceEvent what, ulong first, ulong second)
    {
        CpuInfo* cpu = Machine.Cpu;
        uint index = cpu->TraceNext++ & (Entries - 1);
        ulong* entry = cpu->TraceRing + (index * WordsPerEntry);
        entry[0] = Machine.ReadTsc();
        entry[1] = (ulong)what | (first << FirstArgumentShift);
        entry[2] = second;
    }

    /// <summary>Prints the events of the running CPU.</summary>
    public static void Print() => Print(Machine.Cpu);

    /// <summary>Prints the events of a CPU, oldest first, with their age in TSC ticks. Another CPU may record more
    /// meanwhile.</summary>
    public static void Print(CpuInfo* cpu)
    {
        ulong now = Machine.ReadTsc();
        for (uint back = Entries; back != 0; back--)
        {
            ulong* entry = cpu->TraceRing + (((cpu->TraceNext - back) & (Entries - 1)) * WordsPerEntry);
            TraceEvent what = (TraceEvent)(entry[1] & EventMask);
            if (what == TraceEvent.None)
            {
                continue;
            }

            Log.Error("  "u8).Decimal(now - entry[0]).Text(" ticks ago: "u8).Text(what switch
            {
                TraceEvent.Switch => "switch to domain, vCPU "u8,
                TraceEvent.Interrupt => "interrupt vector "u8,
                TraceEvent.Crash => "crash of domain "u8,
                TraceEvent.Fixup => "guarded access faulted: vector, address "u8,
                TraceEvent.Destruction => "destruction of domain, stage "u8,
                _ => "event "u8,
            }).Hex(entry[1] >> FirstArgumentShift).Text(" "u8).Hex(entry[2]).End();
        }
    }
}
