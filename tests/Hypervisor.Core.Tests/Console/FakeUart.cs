// SPDX-License-Identifier: MIT

using System;
using System.Collections.Generic;
using System.Text;

namespace Hypervisor.Core.Tests.Console;

/// <summary>A 16550 behind the fake machine's ports: its FIFO empties only when a test says so.</summary>
internal sealed class FakeUart
{
    private readonly ushort _port;
    private readonly byte[] _registers = new byte[8];
    private readonly StringBuilder _line = new();
    private readonly Queue<byte> _input = new();
    private byte _divisorLow;
    private byte _divisorHigh;
    private bool _sendReason;
    private bool _overrun;

    public FakeUart(FakeMachine machine, ushort port)
    {
        _port = port;
        machine.OnPortRead = Read;
        machine.OnPortWrite = Write;
    }

    /// <summary>Without it the part is an 8250.</summary>
    public bool HasFifo { get; set; } = true;

    /// <summary>Bytes written that have not left.</summary>
    public int InFifo { get; private set; }

    public bool ClearToSend { get; set; } = true;

    /// <summary>Writes that found the FIFO full.</summary>
    public int Overfilled { get; private set; }

    public string Line => _line.ToString();

    public byte InterruptEnable => _registers[1];

    public int Divisor => _divisorLow | (_divisorHigh << 8);

    public byte Format => _registers[3];

    /// <summary>The line has taken all that is in the FIFO.</summary>
    public void Drain()
    {
        InFifo = 0;
        _sendReason = true;
    }

    public void Receive(byte value) => _input.Enqueue(value);

    public void Overrun() => _overrun = true;

    private bool IsLatch => (_registers[3] & 0x80) != 0;

    private uint? Read(ushort port)
    {
        int register = port - _port;
        if (register is < 0 or > 7)
        {
            return null;
        }

        switch (register)
        {
            case 0:
                return _input.Count == 0 ? 0u : _input.Dequeue();
            case 2:
                uint fifo = HasFifo && (_registers[2] & 1) != 0 ? 0xC0u : 0;
                if (_input.Count != 0 && (_registers[1] & 1) != 0)
                {
                    return fifo | 4;
                }

                if (_sendReason && InFifo == 0 && (_registers[1] & 2) != 0)
                {
                    _sendReason = false;
                    return fifo | 2;
                }

                return fifo | 1;
            case 5:
                uint status = (_input.Count != 0 ? 1u : 0) | (InFifo == 0 ? 0x60u : 0) | (_overrun ? 2u : 0);
                _overrun = false;
                return status;
            case 6:
                return ClearToSend ? 0x10u : 0;
            default:
                return _registers[register];
        }
    }

    private void Write(ushort port, uint value)
    {
        int register = port - _port;
        if (register is < 0 or > 7)
        {
            return;
        }

        if (IsLatch && register == 0)
        {
            _divisorLow = (byte)value;
        }
        else if (IsLatch && register == 1)
        {
            _divisorHigh = (byte)value;
        }
        else if (register == 0)
        {
            if (InFifo == (HasFifo ? 16 : 1))
            {
                Overfilled++;
                return;
            }

            InFifo++;
            _ = _line.Append((char)value);
        }
        else
        {
            if (register == 1 && (value & 2) != 0 && (_registers[1] & 2) == 0)
            {
                _sendReason = true;
            }

            _registers[register] = (byte)value;
        }
    }
}
