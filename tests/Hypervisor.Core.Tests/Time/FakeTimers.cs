// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core.Time;

namespace Hypervisor.Core.Tests.Time;

/// <summary>
/// Board timers of the fake machine: the ACPI timer at port B008h and the PIT, driven by real time, while the TSC runs at
/// a rate of the test's choice. Each reading of a port takes a microsecond.
/// </summary>
internal sealed class FakeTimers
{
    public const ushort AcpiPort = 0xB008;

    private readonly FakeMachine _machine;
    private decimal _seconds;
    private decimal _tsc;
    private decimal _pitStart;
    private byte _control = 0x20;
    private int _pitByte;
    private ushort _pitLatch;

    public FakeTimers(FakeMachine machine, ulong tscHertz)
    {
        _machine = machine;
        TscHertz = tscHertz;
        _tsc = machine.Tsc;
        machine.OnPortRead = Read;
        machine.OnPortWrite = Write;
    }

    public ulong TscHertz { get; set; }

    /// <summary>How fast the ACPI timer really is; 0: it stands still.</summary>
    public decimal AcpiHertz { get; set; } = 3_579_545;

    public decimal PitHertz { get; set; } = 1_193_182;

    public bool Is32Bits { get; set; }

    /// <summary>Called at each reading: microseconds that somebody else takes the processor away.</summary>
    public Func<int> Disturbance { get; set; }

    public void Pass(decimal seconds)
    {
        _seconds += seconds;
        _tsc += seconds * TscHertz;
        _machine.Tsc = (ulong)_tsc;
    }

    private uint? Read(ushort port)
    {
        if (port is not (AcpiPort or 0x42 or 0x61))
        {
            return null;
        }

        Pass(0.0000005m);
        uint value = port switch
        {
            AcpiPort => (uint)((ulong)(_seconds * AcpiHertz) & (Is32Bits ? uint.MaxValue : 0xFFFFFFu)),
            0x42 => (byte)(_pitLatch >> (8 * (_pitByte++ & 1))),
            _ => (uint)(_control & ~0x20) | ((_seconds - _pitStart) * PitHertz > 65535 ? 0x20u : 0),
        };
        Pass(0.0000005m + ((Disturbance?.Invoke() ?? 0) / 1_000_000m));
        return value;
    }

    private void Write(ushort port, uint value)
    {
        if (port == 0x61)
        {
            _control = (byte)value;
        }
        else if (port == 0x43 && value == 0xB0)
        {
            _pitStart = _seconds;
        }
        else if (port == 0x43 && value == 0x80)
        {
            _pitByte = 0;
            _pitLatch = (ushort)(0xFFFF - (ushort)(ulong)((_seconds - _pitStart) * PitHertz));
        }
    }
}
