// SPDX-License-Identifier: MIT
// The UART of every PC, NS16550A and its likes, by port I/O (registers: TL16C550C data sheet §9). A port that is not
// there reads as all ones; one that is there may still never become ready, when the other side holds it or nothing
// drives its clock.
//
// Sending. Until there is memory for a buffer, and again when the machine dies, bytes go out one after the other and
// the CPU waits for the line; no wait is without bound: after one has run out the line counts as stuck and takes bytes
// without waiting until it is seen ready again. In between nobody waits: bytes go into the buffer, as many as the FIFO
// takes go on at once, and the interrupt that tells of room takes the rest. Bytes that find the buffer full are lost
// and counted.
//
// Interrupts get lost when a board wires them badly or another device holds the line. A look from a timer that finds
// work an interrupt should have told of, three times in a row, makes the line a polled one, looked at as often as its
// FIFO fills, until an interrupt comes again.

using Hypervisor.Core.Boot;

namespace Hypervisor.Core.Console;

/// <summary>One serial line.</summary>
/// <remarks>Locking: none of its own; the consoles' lock serialises sending, reception has one caller at a
/// time.</remarks>
public unsafe struct Serial16550
{
    public const ushort Com1Port = 0x3F8;
    public const ushort Com2Port = 0x2F8;
    public const byte Com1Irq = 4;
    public const byte Com2Irq = 3;

    /// <summary>Looks in a row that find missed work before the line is polled.</summary>
    public const uint MissesToPoll = 3;

    /// <summary>2³² ticks: a full line that has sent nothing for so long is stuck.</summary>
    public const ulong StuckAfter = 1UL << 32;

    private const uint UsualBaseBaud = 115200;

    // Register offsets.
    private const int Data = 0;
    private const int InterruptEnable = 1;
    private const int FifoControl = 2;
    private const int InterruptIdentification = 2;
    private const int LineControl = 3;
    private const int ModemControl = 4;
    private const int LineStatus = 5;
    private const int ModemStatus = 6;
    private const int Scratch = 7;

    private const byte ReceiveInterrupt = 0x01;
    private const byte SendInterrupt = 0x02;
    private const byte ModemInterrupt = 0x08;
    private const byte NoInterruptPending = 0x01;
    private const byte FifoWorks = 0xC0;
    private const byte FifoEnableAndClear = 0x07;
    private const byte FifoTrigger8 = 0x80;
    private const byte DivisorLatch = 0x80;
    private const byte ReadyAndOut2 = 0x0B; // DTR, RTS and OUT2, which gates the interrupt
    private const byte DataReady = 0x01;
    private const byte Overrun = 0x02;
    private const byte TransmitterEmpty = 0x20;
    private const byte ClearToSend = 0x10;

    /// <summary>Reads of the status port, about a microsecond each: a FIFO drains at 1200 baud within 140 ms.</summary>
    private const int TransmitPatience = 200_000;
    private const int FifoSize = 16;

    /// <summary>Turns in one interrupt: a line that claims one without end would hold this CPU for good.</summary>
    private const int MostTurns = 64;

    private ushort _port;
    private bool _hasFifo;
    private bool _heedsClearToSend;
    private bool _isStuck;
    private bool _hasInterrupt;
    private byte _enabled;
    private int _room;
    private uint _baud;
    private uint _misses;
    private byte* _buffer;
    private uint _size;
    private uint _head;
    private uint _tail;
    private ulong _lastSent;

    public byte Irq;

    /// <summary>Bytes received too late: the FIFO was full. Bytes not sent: the buffer was.</summary>
    public uint Overruns;
    public uint Lost;

    public readonly bool IsPresent => _port != 0;

    public readonly ushort Port => _port;

    public readonly bool HasFifo => _hasFifo;

    /// <summary>The line's interrupts do not come: it has to be looked at by a timer.</summary>
    public readonly bool IsPolled => _port != 0 && _buffer != null && (!_hasInterrupt || _misses >= MissesToPoll);

    /// <summary>Bytes that wait to be sent.</summary>
    public readonly uint Backlog => _head - _tail;

    /// <summary>Nanoseconds that the line takes to empty its FIFO.</summary>
    public readonly ulong FifoTime =>
        (_hasFifo ? 16UL : 1UL) * 10UL * 1_000_000_000 / (_baud == 0 ? UsualBaseBaud : _baud);

    /// <summary>Looks for the line and sets it up; false when nothing answers.</summary>
    public bool Open(in SerialOptions options, ushort usualPort, byte usualIrq)
    {
        ushort port = options.Port != 0 ? options.Port : usualPort;
        Irq = options.Irq != 0 ? options.Irq : usualIrq;
        if (!Answers(port))
        {
            return false;
        }

        _port = port;
        _baud = options.Baud;
        _heedsClearToSend = options.HeedsClearToSend;
        Write(InterruptEnable, 0);
        byte format = LineFormat(in options);
        if (options.Baud != 0)
        {
            uint baseBaud = options.BaseBaud != 0 ? options.BaseBaud : UsualBaseBaud;
            uint divisor = (baseBaud + options.Baud / 2) / options.Baud;
            divisor = divisor == 0 ? 1 : divisor > 0xFFFF ? 0xFFFF : divisor;
            Write(LineControl, (byte)(format | DivisorLatch));
            Write(Data, (byte)divisor);
            Write(InterruptEnable, (byte)(divisor >> 8));
        }

        Write(LineControl, format);
        Write(FifoControl, FifoEnableAndClear | FifoTrigger8);
        _hasFifo = (Read(InterruptIdentification) & FifoWorks) == FifoWorks;
        Write(ModemControl, ReadyAndOut2);
        return true;
    }

    /// <summary>From now on nobody waits for the line.</summary>
    /// <param name="buffer">Memory for bytes to send, for good.</param>
    /// <param name="size">A power of two.</param>
    /// <param name="hasInterrupt">Its interrupt is served; otherwise the line is polled.</param>
    public void Attach(byte* buffer, uint size, bool hasInterrupt)
    {
        Check.That((size & (size - 1)) == 0, "size of a serial line's buffer"u8);
        _buffer = buffer;
        _size = size;
        _hasInterrupt = hasInterrupt;
        _lastSent = Machine.ReadTsc();
        if (_port != 0 && hasInterrupt)
        {
            _ = Read(InterruptIdentification);
            Enable((byte)(ReceiveInterrupt | (_heedsClearToSend ? ModemInterrupt : 0)));
        }
    }

    /// <summary>The machine dies: what waits goes out now, and from now on the CPU waits for the line.</summary>
    public void Detach()
    {
        byte* buffer = _buffer;
        _buffer = null;
        for (; buffer != null && _tail != _head; _tail++)
        {
            SendNow(buffer[_tail & (_size - 1)]);
        }
    }

    /// <summary>Sends a byte, or keeps it for <see cref="Push"/>.</summary>
    public void Send(byte value)
    {
        if (_buffer == null)
        {
            SendNow(value);
        }
        else if (_head - _tail == _size)
        {
            Lost++;
        }
        else
        {
            _buffer[_head++ & (_size - 1)] = value;
        }
    }

    /// <summary>Hands the line as much as it takes without waiting, and asks for an interrupt if more is left.</summary>
    public void Push()
    {
        if (_buffer == null || _port == 0)
        {
            return;
        }

        while (_tail != _head && IsReady())
        {
            for (int room = _hasFifo ? FifoSize : 1; room != 0 && _tail != _head; room--)
            {
                Write(Data, _buffer[_tail++ & (_size - 1)]);
            }

            _lastSent = Machine.ReadTsc();
        }

        bool isLeft = _tail != _head;
        if (_hasInterrupt && isLeft != ((_enabled & SendInterrupt) != 0))
        {
            Enable((byte)(_enabled ^ SendInterrupt));
        }
    }

    /// <summary>Bytes that can be given to it without loss. A stuck line takes any number: they are lost.</summary>
    public readonly uint RoomToSend()
    {
        if (_buffer == null || _port == 0)
        {
            return uint.MaxValue;
        }

        uint room = _size - (_head - _tail);
        return room < _size / 2 && Machine.ReadTsc() - _lastSent > StuckAfter ? uint.MaxValue : room;
    }

    /// <summary>A look by a timer: whether there is work that an interrupt should have told of.</summary>
    public void Look()
    {
        if (_port == 0 || _buffer == null || !_hasInterrupt)
        {
            return;
        }

        byte status = ReadStatus();
        bool isMissed = status != 0xFF
            && ((status & DataReady) != 0 || (_tail != _head && (status & TransmitterEmpty) != 0 && MaySend()));
        _misses = !isMissed ? _misses >= MissesToPoll ? _misses : 0 : _misses < MissesToPoll ? _misses + 1 : _misses;
    }

    /// <summary>Its interrupt has come.</summary>
    public void NoteInterrupt() => _misses = 0;

    /// <summary>The line still asserts its interrupt; asking takes a part of the reason away.</summary>
    public readonly bool AsksForService()
    {
        if (_port == 0)
        {
            return false;
        }

        byte reason = Read(InterruptIdentification);
        if (reason != 0xFF && (reason & 0x0F) == 0 && (_enabled & ModemInterrupt) != 0)
        {
            _ = Read(ModemStatus);
        }

        return reason != 0xFF && (reason & NoInterruptPending) == 0;
    }

    /// <summary>Turns that serving an interrupt may take.</summary>
    public static int MostServiceTurns => MostTurns;

    /// <summary>Takes a received byte, if there is one.</summary>
    public bool TryReceive(out byte value)
    {
        value = 0;
        if (_port == 0)
        {
            return false;
        }

        byte status = ReadStatus();

        // All ones: the device has gone away.
        if ((status & DataReady) == 0 || status == 0xFF)
        {
            return false;
        }

        value = Read(Data);
        return true;
    }

    private static bool Answers(ushort port)
    {
        Machine.Out8((ushort)(port + Scratch), 0x5A);
        bool first = Machine.In8((ushort)(port + Scratch)) == 0x5A;
        Machine.Out8((ushort)(port + Scratch), 0xA5);
        return first && Machine.In8((ushort)(port + Scratch)) == 0xA5;
    }

    private static byte LineFormat(in SerialOptions options)
    {
        int parity = options.Parity switch
        {
            (byte)'o' => 0x08,
            (byte)'e' => 0x18,
            (byte)'m' => 0x28,
            (byte)'s' => 0x38,
            _ => 0,
        };
        return (byte)((options.DataBits - 5) | (options.StopBits == 2 ? 4 : 0) | parity);
    }

    private void SendNow(byte value)
    {
        if (_port == 0 || (_room == 0 && !WaitForRoom()))
        {
            return;
        }

        _room--;
        Write(Data, value);
    }

    private bool WaitForRoom()
    {
        for (int turn = 0; turn < TransmitPatience; turn++)
        {
            if (IsReady())
            {
                _isStuck = false;
                _room = _hasFifo ? FifoSize : 1;
                return true;
            }

            if (_isStuck)
            {
                return false;
            }

            Machine.Pause();
        }

        _isStuck = true;
        return false;
    }

    private bool IsReady()
    {
        byte status = ReadStatus();
        return status != 0xFF && (status & TransmitterEmpty) != 0 && MaySend();
    }

    /// <summary>The other side's CTS is heeded only when asked for: most cables have no such wire.</summary>
    private readonly bool MaySend() => !_heedsClearToSend || (Read(ModemStatus) & ClearToSend) != 0;

    /// <summary>Reading the status clears its errors, so they are counted here.</summary>
    private byte ReadStatus()
    {
        byte status = Read(LineStatus);
        if (status != 0xFF && (status & Overrun) != 0)
        {
            Overruns++;
        }

        return status;
    }

    private void Enable(byte interrupts)
    {
        _enabled = interrupts;
        Write(InterruptEnable, interrupts);
    }

    private readonly byte Read(int register) => Machine.In8((ushort)(_port + register));

    private readonly void Write(int register, byte value) => Machine.Out8((ushort)(_port + register), value);
}
