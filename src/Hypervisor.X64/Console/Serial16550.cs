// SPDX-License-Identifier: MIT
// The UART of every PC, NS16550A and its likes, by port I/O (registers: TL16C550C data sheet §9). A port that is not
// there reads as all ones; one that is there may still never become ready, when hardware flow control holds it or
// nothing drives its clock. No wait is without bound: after one has run out the line counts as stuck and takes bytes
// without waiting until it is seen ready again, so that a dead line costs the machine its output and nothing else.
//
// Receive interrupts get lost when another line status interrupt masks them or a guest fiddles with the interrupt
// controller: Poll reads whatever is there and is called from the timer too.

using Hypervisor.Core.Boot;

namespace Hypervisor.X64.Console;

/// <summary>One serial line.</summary>
/// <remarks>Locking: none of its own; the lock of <see cref="Consoles"/> serialises transmission, reception has one
/// caller at a time (<see cref="Consoles.Poll"/>).</remarks>
public struct Serial16550
{
    public const ushort Com1Port = 0x3F8;
    public const ushort Com2Port = 0x2F8;
    public const byte Com1Irq = 4;
    public const byte Com2Irq = 3;

    private const uint Clock = 1843200;

    // Register offsets.
    private const int Data = 0;
    private const int InterruptEnable = 1;
    private const int FifoControl = 2;
    private const int InterruptIdentification = 2;
    private const int LineControl = 3;
    private const int ModemControl = 4;
    private const int LineStatus = 5;
    private const int Scratch = 7;

    private const byte ReceiveInterrupt = 0x01;
    private const byte FifoEnableAndClear = 0x07;
    private const byte FifoTrigger8 = 0x80;
    private const byte DivisorLatch = 0x80;
    private const byte ReadyAndOut2 = 0x0B; // DTR, RTS and OUT2, which gates the interrupt
    private const byte DataReady = 0x01;
    private const byte TransmitterEmpty = 0x20;

    /// <summary>Reads of the status port, about a microsecond each: a FIFO drains at 1200 baud within 140 ms.</summary>
    private const int TransmitPatience = 200_000;
    private const int FifoSize = 16;

    private ushort _port;
    private bool _hasFifo;
    private bool _isStuck;
    private int _room;

    public byte Irq;

    public readonly bool IsPresent => _port != 0;

    public readonly ushort Port => _port;

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
        Machine.Out8((ushort)(port + InterruptEnable), 0);
        byte format = LineFormat(in options);
        if (options.Baud != 0)
        {
            uint divisor = (Clock / 16 + options.Baud / 2) / options.Baud;
            divisor = divisor == 0 ? 1 : divisor;
            Machine.Out8((ushort)(port + LineControl), (byte)(format | DivisorLatch));
            Machine.Out8((ushort)(port + Data), (byte)divisor);
            Machine.Out8((ushort)(port + InterruptEnable), (byte)(divisor >> 8));
        }

        Machine.Out8((ushort)(port + LineControl), format);
        Machine.Out8((ushort)(port + FifoControl), FifoEnableAndClear | FifoTrigger8);
        _hasFifo = (Machine.In8((ushort)(port + InterruptIdentification)) & 0xC0) == 0xC0;
        Machine.Out8((ushort)(port + ModemControl), ReadyAndOut2);
        return true;
    }

    /// <summary>Asks for an interrupt when bytes have arrived.</summary>
    public readonly void EnableReceiveInterrupt()
    {
        if (_port != 0)
        {
            _ = Machine.In8((ushort)(_port + InterruptIdentification));
            Machine.Out8((ushort)(_port + InterruptEnable), ReceiveInterrupt);
        }
    }

    public void Transmit(byte value)
    {
        if (_port == 0)
        {
            return;
        }

        if (_room == 0 && !WaitForRoom())
        {
            return;
        }

        _room--;
        Machine.Out8((ushort)(_port + Data), value);
    }

    /// <summary>Takes a received byte, if there is one.</summary>
    public readonly bool TryReceive(out byte value)
    {
        value = 0;
        if (_port == 0)
        {
            return false;
        }

        byte status = Machine.In8((ushort)(_port + LineStatus));

        // All ones: the device has gone away.
        if ((status & DataReady) == 0 || status == 0xFF)
        {
            return false;
        }

        value = Machine.In8((ushort)(_port + Data));
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

    private bool WaitForRoom()
    {
        for (int turn = 0; turn < TransmitPatience; turn++)
        {
            if ((Machine.In8((ushort)(_port + LineStatus)) & TransmitterEmpty) != 0)
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
}
