// SPDX-License-Identifier: MIT
// Timers of the board that count at a rate which is known, whatever the processor does: yardsticks for the time stamp
// counter.
//
//   HPET (specification 1.0a §2.3)     in memory, states its own period, 10 MHz or more, 32 or 64 bits
//   ACPI timer (ACPI 6.5 §4.8.3.3)     a port, 3.579545 MHz, 24 or 32 bits: 24 wrap after 4.7 s
//   PIT channel 2 (Intel 8254)         ports, 1.193182 MHz, 16 bits: wraps after 55 ms, so for measurements alone
//
// A reading is taken between two readings of the TSC; of several the one with the least distance counts, since what
// comes between (SMM, a host that runs somebody else) only makes it longer.

namespace Hypervisor.Core.Time;

public enum PlatformTimerKind : uint
{
    None = 0,
    Hpet,
    AcpiTimer,
    Pit,
}

/// <summary>One timer of the board.</summary>
public unsafe struct PlatformTimer
{
    public const ulong FemtosecondsASecond = 1_000_000_000_000_000;

    /// <summary>The specification's limit: at least 10 MHz.</summary>
    public const uint SlowestHpetPeriod = 100_000_000;

    private const uint FastestHpetPeriod = 100_000; // 10 GHz
    private const ulong AcpiTimerHertz = 3_579_545;
    private const ulong PitHertz = 1_193_182;
    private const int HpetCapabilities = 0;
    private const int HpetPeriod = 4;
    private const int HpetConfiguration = 0x10;
    private const int HpetCounter = 0xF0;
    private const uint HpetIs64Bits = 1 << 13;
    private const uint HpetEnable = 1;
    private const uint HpetLegacyRouting = 2;

    private const ushort PitChannel2 = 0x42;
    private const ushort PitControl = 0x43;
    private const ushort SystemControl = 0x61;
    private const byte PitOneShot = 0xB0;
    private const byte PitLatch = 0x80;
    private const byte PitGate = 0x01;
    private const byte PitSpeaker = 0x02;
    private const byte PitOutput = 0x20;

    private const int ReadTries = 8;

    public PlatformTimerKind Kind;

    /// <summary>Ticks a second.</summary>
    public ulong Hertz;

    /// <summary>What the counter can show.</summary>
    public ulong Mask;

    private byte* _registers;
    private ushort _port;
    private byte _systemControl;

    /// <summary>Nanoseconds until the counter begins anew.</summary>
    public readonly ulong WrapTime => Mask / Hertz >= ulong.MaxValue / SystemTime.Second
        ? ulong.MaxValue
        : (Mask / Hertz * SystemTime.Second) + (Mask % Hertz * SystemTime.Second / Hertz);

    /// <summary>The HPET whose registers are mapped there, running; false where none answers as one.</summary>
    public static bool TryOpenHpet(byte* registers, out PlatformTimer timer)
    {
        timer = default;
        if (registers == null)
        {
            return false;
        }

        uint capabilities = Machine.ReadDevice32(registers + HpetCapabilities);
        uint period = Machine.ReadDevice32(registers + HpetPeriod);
        if (capabilities is 0 or uint.MaxValue || period is < FastestHpetPeriod or > SlowestHpetPeriod)
        {
            return false;
        }

        // Firmware may have left it halted, or wired to the interrupts of PIT and RTC.
        uint configuration = Machine.ReadDevice32(registers + HpetConfiguration);
        Machine.WriteDevice32(registers + HpetConfiguration, (configuration & ~HpetLegacyRouting) | HpetEnable);
        timer.Kind = PlatformTimerKind.Hpet;
        timer.Hertz = (FemtosecondsASecond + (period / 2)) / period;

        // The lower half suffices and is read at once; it lasts minutes at the least.
        timer.Mask = uint.MaxValue;
        timer._registers = registers;
        return true;
    }

    public static bool TryOpenAcpiTimer(ushort port, bool is32Bits, out PlatformTimer timer)
    {
        timer = default;
        timer.Kind = PlatformTimerKind.AcpiTimer;
        timer.Hertz = AcpiTimerHertz;
        timer.Mask = is32Bits ? uint.MaxValue : 0x00FF_FFFFu;
        timer._port = port;
        return port != 0;
    }

    public static PlatformTimer OpenPit() =>
        new() { Kind = PlatformTimerKind.Pit, Hertz = PitHertz, Mask = 0xFFFF };

    /// <summary>Before a measurement: the PIT is started, the others run.</summary>
    public void Begin()
    {
        if (Kind != PlatformTimerKind.Pit)
        {
            return;
        }

        _systemControl = Machine.In8(SystemControl);
        Machine.Out8(SystemControl, (byte)((_systemControl & ~PitSpeaker) | PitGate));
        Machine.Out8(PitControl, PitOneShot);
        Machine.Out8(PitChannel2, 0xFF);
        Machine.Out8(PitChannel2, 0xFF);

        // The count is loaded with the timer's next period.
        _ = Read();
        _ = Read();
    }

    /// <summary>After it; false where the PIT has run out meanwhile, so that its count says nothing.</summary>
    public readonly bool TryEnd()
    {
        if (Kind != PlatformTimerKind.Pit)
        {
            return true;
        }

        bool ranOut = (Machine.In8(SystemControl) & PitOutput) != 0;
        Machine.Out8(SystemControl, _systemControl);
        return !ranOut;
    }

    /// <summary>The count, going up.</summary>
    public readonly ulong Read()
    {
        switch (Kind)
        {
            case PlatformTimerKind.Hpet:
                return Machine.ReadDevice32(_registers + HpetCounter);
            case PlatformTimerKind.AcpiTimer:
                return Machine.In32(_port) & Mask;
            case PlatformTimerKind.Pit:
                Machine.Out8(PitControl, PitLatch);
                byte low = Machine.In8(PitChannel2);
                return (ulong)(0xFFFF - (low | (Machine.In8(PitChannel2) << 8)));
            default:
                return 0;
        }
    }

    /// <summary>The count together with the TSC at that moment.</summary>
    /// <param name="tsc">The time stamp counter, to half of the answer.</param>
    /// <param name="count">The timer's count.</param>
    /// <returns>TSC ticks that the best reading took: how far <paramref name="tsc"/> can be off.</returns>
    public readonly ulong Sample(out ulong tsc, out ulong count)
    {
        ulong best = ulong.MaxValue;
        tsc = 0;
        count = 0;
        for (int i = 0; i < ReadTries; i++)
        {
            ulong before = Machine.ReadTsc();
            ulong value = Read();
            ulong distance = Machine.ReadTsc() - before;
            if (distance < best)
            {
                best = distance;
                tsc = before + (distance / 2);
                count = value;
            }
        }

        return best;
    }
}
