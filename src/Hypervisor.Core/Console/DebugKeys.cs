// SPDX-License-Identifier: MIT
// One letter, one report, from live state. Run and Describe are the table: a key that is added gets its line in each.
//
// A key sent by the tools is served in the hypercall. A typed one arrives in an interrupt, which may have come while
// some lock is held: it waits for the soft interrupt Console, where none is. Of keys that queue up, as all do after
// '*', one is served at each tenth of a second, so that neither a CPU nor a slow line is busy for long. Reports are
// bounded; other CPUs run on. No domain but a privileged one reaches this.
//
// Locking: s_lock protects the queue; innermost.

using System;
using Hypervisor.Core.Diagnostics;

namespace Hypervisor.Core.Console;

/// <summary>Keys for whoever debugs the machine, typed on the serial line or sent by XEN_SYSCTL_debug_keys.</summary>
public static unsafe class DebugKeys
{
    private const byte FirstKey = (byte)'!';
    private const byte LastKey = (byte)'~';

    private static KeyQueue s_queue;
    private static SpinLock s_lock;

    /// <summary>A key typed: callable with locks held. Beyond <see cref="KeyQueue.Size"/> keys they are lost.</summary>
    public static void Type(byte key)
    {
        s_lock.Acquire();
        _ = s_queue.TryPut(key);
        s_lock.Release();
        Machine.RaiseSoftIrq(SoftIrq.Console);
    }

    /// <summary>Serves the oldest waiting key; no lock is held.</summary>
    public static void ServeTyped()
    {
        s_lock.Acquire();
        bool found = s_queue.TryTake(out byte key);
        s_lock.Release();
        if (found)
        {
            Handle(key);
        }
    }

    /// <summary>Does what the key says; no lock is held.</summary>
    public static void Handle(byte key)
    {
        if (Describe(key).Length == 0)
        {
            return;
        }

        Log.Error("key '"u8).Byte(key).Text("' pressed: "u8).Text(Describe(key)).End();
        Run(key);
    }

    /// <summary>What the key does; empty for one that does nothing.</summary>
    public static ReadOnlySpan<byte> Describe(byte key) => key switch
    {
        (byte)'%' => "trap to a debugger"u8,
        (byte)'*' => "all reports"u8,
        (byte)'0' => "registers of Domain-0"u8,
        (byte)'C' => "panic"u8,
        (byte)'H' => "heap by owner"u8,
        (byte)'M' => "messages of devices (MSI, MSI-X)"u8,
        (byte)'N' => "send an NMI to this CPU"u8,
        (byte)'R' => "reboot"u8,
        (byte)'T' => "last events of each CPU"u8,
        (byte)'a' => "timers"u8,
        (byte)'c' => "idle CPUs"u8,
        (byte)'d' => "registers of all CPUs"u8,
        (byte)'e' => "event channels"u8,
        (byte)'g' => "grants in use"u8,
        (byte)'h' => "this help"u8,
        (byte)'i' => "interrupts and their bindings"u8,
        (byte)'k' => "references and types of all frames counted anew"u8,
        (byte)'m' => "memory"u8,
        (byte)'n' => "NMIs counted"u8,
        (byte)'q' => "domains and their vCPUs"u8,
        (byte)'r' => "run queues"u8,
        (byte)'s' => "clock, and TSC modes of domains"u8,
        (byte)'t' => "clocks of the CPUs compared"u8,
        (byte)'u' => "memory by node"u8,
        (byte)'v' => "hardware virtualisation"u8,
        (byte)'w' => "the log once more, on the consoles"u8,
        (byte)'z' => "I/O APICs"u8,
        _ => default,
    };

    private static void Run(byte key)
    {
        switch (key)
        {
            case (byte)'%':
                Log.Error("no debugger is built in; QEMU's gdb stub sees everything"u8).End();
                break;
            case (byte)'*':
                QueueReports();
                break;
            case (byte)'0':
                ProcessorDump.PrintDomain0();
                break;
            case (byte)'C':
                Panic.Because("asked for by a debug key"u8);
                break;
            case (byte)'H':
                MemoryDump.PrintHeap();
                break;
            case (byte)'M':
                InterruptDump.PrintMessages();
                break;
            case (byte)'N':
                Machine.SendNmi(Machine.Cpu->CpuId);
                break;
            case (byte)'R':
                Machine.Reboot();
                break;
            case (byte)'T':
                ProcessorDump.PrintTraces();
                break;
            case (byte)'a':
                TimerDump.Print();
                break;
            case (byte)'c':
                ProcessorDump.PrintIdle();
                break;
            case (byte)'d':
                CpuQuestions.PrintAllRegisters();
                break;
            case (byte)'e':
                EventDump.Print();
                break;
            case (byte)'g':
                GrantUseDump.Print();
                break;
            case (byte)'h':
                Help();
                break;
            case (byte)'i':
                InterruptDump.Print();
                break;
            case (byte)'k':
                Recount.Print();
                break;
            case (byte)'m':
                MemoryDump.Print();
                break;
            case (byte)'n':
                ProcessorDump.PrintNmis();
                break;
            case (byte)'q':
                DomainDump.Print();
                break;
            case (byte)'r':
                DomainDump.PrintRunQueues();
                break;
            case (byte)'s':
                ProcessorDump.PrintClock();
                break;
            case (byte)'t':
                ProcessorDump.PrintSkew();
                break;
            case (byte)'u':
                MemoryDump.PrintNodes();
                break;
            case (byte)'v':
                Log.Error("no hardware virtualisation is used: guests are paravirtual"u8).End();
                break;
            case (byte)'w':
                ConsoleLog.Replay();
                break;
            case (byte)'z':
                InterruptDump.PrintControllers();
                break;
            default:
                break;
        }
    }

    private static void Help()
    {
        for (byte key = FirstKey; key <= LastKey; key++)
        {
            ReadOnlySpan<byte> text = Describe(key);
            if (text.Length != 0)
            {
                Log.Error("  "u8).Byte(key).Text("  "u8).Text(text).End();
            }
        }
    }

    /// <summary>Whether '*' includes the key: what only tells, and stops nobody.</summary>
    private static bool IsReport(byte key) =>
        Describe(key).Length != 0
        && key is not ((byte)'%' or (byte)'*' or (byte)'C' or (byte)'N' or (byte)'R' or (byte)'h' or (byte)'k'
            or (byte)'w');

    private static void QueueReports()
    {
        for (byte key = FirstKey; key <= LastKey; key++)
        {
            if (IsReport(key))
            {
                Type(key);
            }
        }
    }
}
