// SPDX-License-Identifier: MIT

using System;
using System.Runtime.InteropServices;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Console;
using Xunit;

namespace Hypervisor.Core.Tests.Console;

public sealed unsafe class Serial16550Tests : IDisposable
{
    private const uint BufferSize = 64;

    private readonly FakeMachine _machine = FakeMachine.Reset();
    private readonly FakeUart _uart;
    private readonly byte* _buffer = (byte*)NativeMemory.Alloc(BufferSize);

    public Serial16550Tests() => _uart = new FakeUart(_machine, Serial16550.Com1Port);

    public void Dispose() => NativeMemory.Free(_buffer);

    private static SerialOptions Options(uint baud = 115200) =>
        new() { IsSet = true, Baud = baud, DataBits = 8, Parity = (byte)'n', StopBits = 1 };

    private Serial16550 Open(SerialOptions options)
    {
        Serial16550 line = default;
        Assert.True(line.Open(in options, Serial16550.Com1Port, Serial16550.Com1Irq));
        return line;
    }

    private Serial16550 OpenBuffered(bool hasInterrupt = true)
    {
        Serial16550 line = Open(Options());
        line.Attach(_buffer, BufferSize, hasInterrupt);
        return line;
    }

    private static void Send(ref Serial16550 line, string text)
    {
        foreach (char character in text)
        {
            line.Send((byte)character);
        }

        line.Push();
    }

    [Theory]
    [InlineData(115200u, 0u, 1)]
    [InlineData(9600u, 0u, 12)]
    [InlineData(115200u, 1152000u, 10)]
    [InlineData(2u, 0u, 57600)]
    [InlineData(1u, 0u, 65535)]
    public void The_divisor_follows_from_the_rate(uint baud, uint baseBaud, int divisor)
    {
        SerialOptions options = Options(baud);
        options.BaseBaud = baseBaud;
        _ = Open(options);

        Assert.Equal(divisor, _uart.Divisor);
        Assert.Equal(3, _uart.Format);
    }

    [Fact]
    public void A_rate_of_auto_leaves_the_divisor_as_it_was()
    {
        _ = Open(Options(0));

        Assert.Equal(0, _uart.Divisor);
    }

    [Fact]
    public void Nothing_that_answers_is_no_line()
    {
        _machine.OnPortRead = null;
        Serial16550 line = default;
        SerialOptions options = Options();

        Assert.False(line.Open(in options, Serial16550.Com1Port, Serial16550.Com1Irq));
        Assert.False(line.IsPresent);
        line.Send((byte)'x');
        line.Push();
        Assert.False(line.TryReceive(out _));
        Assert.Equal(uint.MaxValue, line.RoomToSend());
    }

    [Theory]
    [InlineData(true, 16)]
    [InlineData(false, 1)]
    public void As_much_as_the_FIFO_takes_goes_at_once_and_interrupts_take_the_rest(bool hasFifo, int first)
    {
        _uart.HasFifo = hasFifo;
        Serial16550 line = OpenBuffered();
        Assert.Equal(hasFifo, line.HasFifo);
        string text = new string('a', 30) + "end";

        Send(ref line, text);

        Assert.Equal(first, _uart.Line.Length);
        Assert.Equal((uint)(text.Length - first), line.Backlog);
        Assert.Equal(3, _uart.InterruptEnable);
        for (int interrupt = 0; interrupt < 40 && line.Backlog != 0; interrupt++)
        {
            _uart.Drain();
            Assert.True(line.AsksForService());
            line.Push();
        }

        Assert.Equal(text, _uart.Line);
        Assert.Equal(1, _uart.InterruptEnable);
        Assert.Equal(0, _uart.Overfilled);
    }

    [Fact]
    public void What_finds_the_buffer_full_is_lost_and_counted()
    {
        Serial16550 line = OpenBuffered();

        Send(ref line, new string('x', 16));
        Send(ref line, new string('y', 70));

        Assert.Equal(6u, line.Lost);
        Assert.Equal(0u, line.RoomToSend());
        _machine.AdvanceTsc(Serial16550.StuckAfter + 1);
        Assert.Equal(uint.MaxValue, line.RoomToSend()); // nobody waits for it any longer
        _uart.Drain();
        line.Push();
        Assert.Equal(16u, line.RoomToSend());
    }

    [Fact]
    public void Without_a_buffer_the_CPU_waits_but_not_for_ever()
    {
        Serial16550 line = Open(Options());

        foreach (byte value in "0123456789abcdefgh"u8)
        {
            line.Send(value);
        }

        Assert.Equal("0123456789abcdef", _uart.Line);
        Assert.InRange(FakeMachine.Cpu.Pauses, 100_000, 300_000); // one wait, then it counts as stuck
        _uart.Drain();
        line.Send((byte)'i');
        Assert.EndsWith("fi", _uart.Line, StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_of_the_machine_shows_what_was_waiting()
    {
        Serial16550 line = OpenBuffered();
        Send(ref line, new string('x', 20));
        _uart.Drain();

        line.Detach();
        line.Send((byte)'!');

        Assert.Equal(new string('x', 20) + "!", _uart.Line);
    }

    [Fact]
    public void Clear_to_send_counts_only_when_asked_for()
    {
        _uart.ClearToSend = false;
        Serial16550 line = OpenBuffered();
        Send(ref line, "heard");
        Assert.Equal("heard", _uart.Line);

        SerialOptions options = Options();
        options.HeedsClearToSend = true;
        _uart.Drain();
        line = Open(options);
        line.Attach(_buffer, BufferSize, true);
        Send(ref line, "held");
        Assert.Equal("heard", _uart.Line);
        Assert.Equal(8, _uart.InterruptEnable & 8); // the change of CTS interrupts
        _uart.ClearToSend = true;
        line.Push();
        Assert.Equal("heardheld", _uart.Line);
    }

    [Fact]
    public void Three_looks_in_a_row_that_find_missed_work_make_the_line_polled_until_an_interrupt_comes()
    {
        Serial16550 line = OpenBuffered();
        _uart.Receive((byte)'k');
        line.Look();
        line.Look();
        Assert.False(line.IsPolled);
        line.Look();
        Assert.True(line.IsPolled);
        Assert.True(line.TryReceive(out byte value) && value == 'k');
        line.Look();
        Assert.True(line.IsPolled); // nothing to do is no proof
        line.NoteInterrupt();
        Assert.False(line.IsPolled);
    }

    [Fact]
    public void Sending_that_no_interrupt_drives_is_noticed_too()
    {
        Serial16550 line = OpenBuffered();
        Send(ref line, new string('x', 60));
        for (uint look = 0; look < Serial16550.MissesToPoll; look++)
        {
            _uart.Drain();
            line.Look();
            line.Push();
        }

        Assert.True(line.IsPolled);
        Assert.Equal(new string('x', 60), _uart.Line);
    }

    [Fact]
    public void A_line_whose_interrupt_cannot_be_had_is_polled_from_the_beginning()
    {
        Serial16550 line = OpenBuffered(hasInterrupt: false);

        Assert.True(line.IsPolled);
        Assert.Equal(0, _uart.InterruptEnable);
        Assert.InRange(line.FifoTime, 1_380_000UL, 1_400_000UL);
    }

    [Fact]
    public void Overruns_are_counted_wherever_the_status_is_read()
    {
        Serial16550 line = OpenBuffered();
        _uart.Overrun();
        _ = line.TryReceive(out _);
        _uart.Overrun();
        line.Look();

        Assert.Equal(2u, line.Overruns);
    }
}
