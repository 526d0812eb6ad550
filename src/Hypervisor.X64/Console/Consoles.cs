// SPDX-License-Identifier: MIT
// Every line of the hypervisor goes into the ring and to each console that is open. CPUs compose lines from pieces;
// once EnableLineBuffers has been called the pieces wait in a buffer of their CPU until the line ends, so that lines
// of different CPUs do not mix. The end of the machine shows everything: BreakLock empties the buffer of the dying
// CPU and from then on nothing waits for a lock or for the end of a line.
//
// Locking: s_lock covers the drivers; innermost but for the ring's. NMI and machine-check code may have interrupted its
// holder: waiting is bounded, and whoever loses patience writes anyway.

using System.Runtime;
using Hypervisor.Core.Acpi;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Console;
using Hypervisor.Core.Interrupts;
using Hypervisor.Core.Mmu;
using Hypervisor.X64.Boot;

namespace Hypervisor.X64.Console;

/// <summary>All consoles of the machine.</summary>
public static unsafe class Consoles
{
    private const int LineCapacity = 256;
    private const int Patience = 10_000_000;
    private const int BufferOrder = 4;
    private const uint BufferSize = (uint)MemoryLayout.PageSize << BufferOrder;
    private const ulong ShortestPoll = 500_000;
    private const ulong IdlePoll = 5_000_000;

    private static Serial16550 s_com1;
    private static Serial16550 s_com2;
    private static bool s_com1IsConsole;
    private static bool s_com2IsConsole;
    private static SpinLock s_lock;
    private static SpinLock s_inputLock;
    private static bool s_lockIsBroken;
    private static bool s_hasLineBuffers;
    private static bool s_hasToldOfPolling;
    private static uint s_toldLost1;
    private static uint s_toldLost2;
    private static uint s_toldOverruns1;
    private static uint s_toldOverruns2;
    private static LineBuffers s_lines;

    /// <summary>I/O port of the line that the hypervisor keeps from Domain-0, by number 0 or 1; 0 where it is
    /// free.</summary>
    public static ushort OwnedPort(int line) => line == 0 ? s_com1.Port : s_com2.Port;

    /// <summary>Interrupt (ISA) of that line; meaningful where <see cref="OwnedPort"/> is not 0.</summary>
    public static byte Irq(int line) => line == 0 ? s_com1.Irq : s_com2.Irq;

    /// <summary>Before the command line is known: the first serial line, if it is there.</summary>
    public static void OpenEarly()
    {
        SerialOptions usual = Usual();
        s_com1IsConsole = s_com1.Open(in usual, Serial16550.Com1Port, Serial16550.Com1Irq);
    }

    /// <summary>The serial lines that the command line wants: each that was given parameters or, where none was, the
    /// first one.</summary>
    public static void Configure(BootOptions* options)
    {
        ConsoleSet wanted = options->Consoles;
        if (!options->HasConsoles)
        {
            wanted = (options->Com2.IsSet ? ConsoleSet.Com2 : ConsoleSet.None)
                | (options->Com1.IsSet || !options->Com2.IsSet ? ConsoleSet.Com1 : ConsoleSet.None);
        }

        s_com1IsConsole = Reopen(
            ref s_com1, in options->Com1, wanted, ConsoleSet.Com1, Serial16550.Com1Port, Serial16550.Com1Irq);
        s_com2IsConsole = Reopen(
            ref s_com2, in options->Com2, wanted, ConsoleSet.Com2, Serial16550.Com2Port, Serial16550.Com2Irq);
    }

    /// <summary>The screen, unless the command line names other consoles only; false where it cannot be written
    /// to.</summary>
    public static bool OpenScreen(BootOptions* options, BootInformation* information, int addressBits) =>
        (options->HasConsoles && (options->Consoles & ConsoleSet.Screen) == 0)
        || Screen.TryOpen(in information->Framebuffer, &information->MemoryMap, addressBits, information->IsEfi);

    /// <summary>The text screen of a PC, for want of knowledge of what there is.</summary>
    public static void OpenTextScreen() => Screen.OpenText(VgaText.UsualColumns, VgaText.UsualRows);

    /// <summary>The final tables are in force, which map a framebuffer elsewhere.</summary>
    public static void MoveScreen()
    {
        if (Screen.Geometry.Size != 0)
        {
            Screen.MoveTo(FinalTables.FramebufferAt(Screen.Geometry.Address));
        }
    }

    /// <summary>Domain-0 takes the screen over.</summary>
    public static void LeaveScreen()
    {
        bool held = Acquire();
        Screen.Close();
        Release(held);
    }

    /// <summary>From here on each CPU has its <see cref="CpuInfo"/>.</summary>
    public static void EnableLineBuffers() => s_hasLineBuffers = true;

    /// <summary>
    /// Gives the lines buffers, routes their interrupts to this CPU and turns them on. A line whose pin cannot be had is
    /// left to <see cref="Poll"/> from a timer.
    /// </summary>
    public static void Connect(AcpiInformation* acpi)
    {
        Connect(ref s_com1, acpi);
        Connect(ref s_com2, acpi);
    }

    /// <summary>Bytes that all lines take without loss.</summary>
    [RuntimeExport("console_room")]
    public static uint Room()
    {
        uint first = s_com1IsConsole ? s_com1.RoomToSend() : uint.MaxValue;
        uint second = s_com2IsConsole ? s_com2.RoomToSend() : uint.MaxValue;
        return first < second ? first : second;
    }

    /// <summary>Nanoseconds to the next look at lines whose interrupts do not come; 0: there are none.</summary>
    [RuntimeExport("console_poll_delay")]
    public static ulong PollDelay()
    {
        ulong first = DelayOf(in s_com1);
        ulong second = DelayOf(in s_com2);
        return first == 0 || (second != 0 && second < first) ? second : first;
    }

    /// <summary>A line's interrupt: its reasons are taken away until it asserts none, since an edge that is missed
    /// does not come again.</summary>
    [RuntimeExport("console_interrupt")]
    public static void ServeInterrupt()
    {
        s_com1.NoteInterrupt();
        s_com2.NoteInterrupt();
        for (int turn = 0; turn < Serial16550.MostServiceTurns; turn++)
        {
            bool asks = s_com1.AsksForService() | s_com2.AsksForService();
            Serve();
            if (!asks)
            {
                break;
            }
        }
    }

    /// <summary>A look from a timer, lest an interrupt was lost.</summary>
    [RuntimeExport("console_poll")]
    public static void Poll()
    {
        bool wasPolled = s_com1.IsPolled | s_com2.IsPolled;
        s_com1.Look();
        s_com2.Look();
        Serve();
        if (!wasPolled && (s_com1.IsPolled | s_com2.IsPolled) && !s_hasToldOfPolling)
        {
            s_hasToldOfPolling = true;
            Log.Warning("serial line: its interrupts do not come, it is polled"u8).End();
        }

        TellLosses(ref s_com1, ref s_toldLost1, ref s_toldOverruns1);
        TellLosses(ref s_com2, ref s_toldLost2, ref s_toldOverruns2);
    }

    /// <summary>Receives and sends what there is.</summary>
    private static void Serve()
    {
        if (s_inputLock.TryAcquire())
        {
            Receive(ref s_com1);
            Receive(ref s_com2);
            s_inputLock.Release();
        }

        // Whoever holds the lock sends, and pushes when done.
        if (s_lock.TryAcquire())
        {
            s_com1.Push();
            s_com2.Push();
            s_lock.Release();
        }
    }

    private static ulong DelayOf(in Serial16550 line)
    {
        ulong fifo = line.FifoTime;
        return !line.IsPolled ? 0 : line.Backlog != 0 && fifo > ShortestPoll ? fifo : line.Backlog != 0 ? ShortestPoll : IdlePoll;
    }

    /// <summary>Once the buffer has room again.</summary>
    private static void TellLosses(ref Serial16550 line, ref uint toldLost, ref uint toldOverruns)
    {
        if ((line.Lost == toldLost && line.Overruns == toldOverruns) || line.Backlog > BufferSize / 2)
        {
            return;
        }

        uint lost = line.Lost - toldLost;
        uint overruns = line.Overruns - toldOverruns;
        toldLost = line.Lost;
        toldOverruns = line.Overruns;
        Log.Warning("serial line: "u8).Decimal(lost).Text(" bytes not sent, the line was too slow; "u8)
            .Decimal(overruns).Text(" times input was lost"u8).End();
    }

    /// <summary>The machine dies: whoever holds a lock will not come back.</summary>
    public static void BreakLock()
    {
        s_lockIsBroken = true;
        s_com1.Detach();
        s_com2.Detach();
        if (s_hasLineBuffers)
        {
            s_hasLineBuffers = false;
            byte* line = s_lines.Line(Machine.Cpu->CpuId, out int length);
            Emit(line, length);
        }

        Screen.Reopen();
    }

    [RuntimeExport("console_write")]
    public static void Write(byte* text, int length)
    {
        if (!s_hasLineBuffers)
        {
            Emit(text, length);
            return;
        }

        uint cpu = Machine.Cpu->CpuId;
        for (int i = 0; i < length; i++)
        {
            s_lines.Add(cpu, text[i]);
            byte* line = s_lines.Line(cpu, out int used);
            if (text[i] == '\n' || used == LineCapacity)
            {
                s_lines.Clear(cpu);
                Emit(line, used);
            }
        }
    }

    [RuntimeExport("console_write_verbatim")]
    public static void WriteVerbatim(byte* text, int length)
    {
        bool held = Acquire();
        WriteSerial(text, length, false);
        PushAll();
        Screen.Write(text, length);
        Release(held);
    }

    private static SerialOptions Usual() =>
        new() { IsSet = true, Baud = 115200, DataBits = 8, Parity = (byte)'n', StopBits = 1 };

    private static bool Reopen(
        ref Serial16550 line, in SerialOptions options, ConsoleSet wanted, ConsoleSet self, ushort port, byte irq)
    {
        if ((wanted & self) == 0)
        {
            line = default;
            return false;
        }

        SerialOptions effective = options.IsSet ? options : Usual();
        line = default;
        return line.Open(in effective, port, irq);
    }

    private static void Connect(ref Serial16550 line, AcpiInformation* acpi)
    {
        if (!line.IsPresent)
        {
            return;
        }

        uint gsi = acpi->GsiOfIsa(line.Irq, out _);
        bool hasInterrupt = IrqTable.TryBindInternal(gsi, InternalIrq.Console, Machine.Cpu->CpuId);
        if (!hasInterrupt)
        {
            Log.Warning("serial line: interrupt "u8).Decimal(gsi).Text(" cannot be had, the line is polled"u8).End();
        }

        byte* buffer = (byte*)PageAllocator.AllocatePages(BufferOrder);
        if (buffer == null)
        {
            Log.Warning("serial line: no memory for a buffer, the line is waited for"u8).End();
            return;
        }

        line.Attach(buffer, BufferSize, hasInterrupt);
    }

    private static void Receive(ref Serial16550 line)
    {
        // A line that claims data without end would hold this CPU for good.
        for (int i = 0; i < 256 && line.TryReceive(out byte value); i++)
        {
            ConsoleInput.Receive(value);
        }
    }

    private static void Emit(byte* text, int length)
    {
        bool held = Acquire();
        if (s_lockIsBroken)
        {
            ConsoleLog.AppendUnlocked(text, length);
        }
        else
        {
            ConsoleLog.Append(text, length);
        }

        WriteSerial(text, length, true);
        PushAll();
        Screen.Write(text, length);
        Release(held);
    }

    private static void WriteSerial(byte* text, int length, bool addCarriageReturns)
    {
        for (int i = 0; i < length; i++)
        {
            if (text[i] == '\n' && addCarriageReturns)
            {
                Transmit((byte)'\r');
            }

            Transmit(text[i]);
        }
    }

    private static void Transmit(byte value)
    {
        if (s_com1IsConsole)
        {
            s_com1.Send(value);
        }

        if (s_com2IsConsole)
        {
            s_com2.Send(value);
        }
    }

    private static void PushAll()
    {
        s_com1.Push();
        s_com2.Push();
    }

    private static bool Acquire()
    {
        for (int turn = 0; !s_lockIsBroken && turn < Patience; turn++)
        {
            if (s_lock.TryAcquire())
            {
                return true;
            }

            Machine.Pause();
        }

        return false;
    }

    private static void Release(bool held)
    {
        if (held)
        {
            s_lock.Release();
        }
    }

    /// <summary>One unfinished line for each CPU.</summary>
    private struct LineBuffers
    {
        private fixed byte _text[MemoryLayout.MaxCpus * LineCapacity];
        private fixed int _length[MemoryLayout.MaxCpus];

        public void Add(uint cpu, byte value)
        {
            cpu &= MemoryLayout.MaxCpus - 1;
            _text[(cpu * LineCapacity) + _length[cpu]++] = value;
        }

        /// <summary>The line so far; it stays valid until the next <see cref="Add"/> after a
        /// <see cref="Clear"/>.</summary>
        public byte* Line(uint cpu, out int length)
        {
            cpu &= MemoryLayout.MaxCpus - 1;
            length = _length[cpu];
            fixed (byte* text = _text)
            {
                return text + (cpu * LineCapacity);
            }
        }

        public void Clear(uint cpu) => _length[cpu & (MemoryLayout.MaxCpus - 1)] = 0;
    }
}
