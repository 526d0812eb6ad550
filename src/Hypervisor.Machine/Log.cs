// SPDX-License-Identifier: MIT
// The hypervisor's log: composed in place, without a format string and without memory of its own:
//
//     Log.Info("Domain-0: "u8).Decimal(pages).Text(" pages"u8).End();
//
// A line above the threshold composes nothing; between the two thresholds of loglvl=always/limited lines pass at a
// limited rate. The bytes go to Machine.ConsoleWrite, which feeds the ring that
// XEN_SYSCTL_readconsole shows and the consoles.

using System;

namespace Hypervisor;

public enum LogLevel
{
    Error = 0,
    Warning = 1,
    Info = 2,
    Debug = 3,
}

/// <summary>Starts log lines.</summary>
public static class Log
{
    private static int s_limitedThreshold;
    private static MessageRate s_rate;
    private static SpinLock s_rateLock;

    public static LogLine Error(ReadOnlySpan<byte> text) => Begin(LogLevel.Error).Text(text);

    public static LogLine Warning(ReadOnlySpan<byte> text) => Begin(LogLevel.Warning).Text(text);

    public static LogLine Info(ReadOnlySpan<byte> text) => Begin(LogLevel.Info).Text(text);

    public static LogLine Debug(ReadOnlySpan<byte> text) => Begin(LogLevel.Debug).Text(text);

    /// <summary>Lines above the threshold and up to this level pass at a limited rate.</summary>
    public static LogLevel LimitedThreshold
    {
        get => (LogLevel)s_limitedThreshold;
        set => s_limitedThreshold = (int)value;
    }

    /// <summary>A line whose right to be shown has been looked at.</summary>
    public static LogLine Write(bool passes)
    {
        LogLine line = new(passes);
        return line.Text("(XEN) "u8);
    }

    private static LogLine Begin(LogLevel level) =>
        Write(level <= Machine.LogThreshold || ((int)level <= s_limitedThreshold && TryPass()));

    private static bool TryPass()
    {
        // A CPU that was interrupted right here by an NMI must not wait for itself: its line goes.
        if (!s_rateLock.TryAcquire())
        {
            return false;
        }

        ulong now = Machine.ReadTsc();
        bool passes = s_rate.TryPass(now);
        uint suppressed = passes ? s_rate.TakeSuppressed(now, atOnce: true) : 0;
        s_rateLock.Release();
        if (suppressed != 0)
        {
            Write(true).Decimal(suppressed).Text(" messages of the hypervisor suppressed"u8).End();
        }

        return passes;
    }
}

/// <summary>A log line being written; every method returns the line, <see cref="End"/> finishes it.</summary>
public readonly struct LogLine
{
    private readonly bool _enabled;

    public LogLine(bool enabled) => _enabled = enabled;

    public LogLine Text(ReadOnlySpan<byte> text)
    {
        if (_enabled)
        {
            Machine.ConsoleWrite(text);
        }

        return this;
    }

    /// <summary>One byte as it is.</summary>
    public unsafe LogLine Byte(byte value) => Text(new ReadOnlySpan<byte>(&value, 1));

    public unsafe LogLine Decimal(ulong value)
    {
        byte* digits = stackalloc byte[20];
        int position = 20;
        do
        {
            digits[--position] = (byte)('0' + (value % 10));
            value /= 10;
        }
        while (value != 0);

        return Text(new ReadOnlySpan<byte>(digits + position, 20 - position));
    }

    public LogLine Decimal(long value) => value < 0 ? Text("-"u8).Decimal((ulong)-value) : Decimal((ulong)value);

    public LogLine Decimal(int value) => Decimal((long)value);

    public LogLine Decimal(uint value) => Decimal((ulong)value);

    /// <summary>Hexadecimal with at least <paramref name="digits"/> digits, no prefix.</summary>
    public unsafe LogLine Hex(ulong value, int digits = 1)
    {
        byte* text = stackalloc byte[16];
        int position = 16;
        do
        {
            int nibble = (int)(value & 15);
            text[--position] = (byte)(nibble < 10 ? '0' + nibble : 'a' + nibble - 10);
            value >>= 4;
        }
        while (value != 0 || 16 - position < digits);

        return Text(new ReadOnlySpan<byte>(text + position, 16 - position));
    }

    public void End() => Text("\n"u8);
}
