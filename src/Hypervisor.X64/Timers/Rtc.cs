// SPDX-License-Identifier: MIT
// The battery clock (Motorola MC146818 data sheet). It updates itself once a second and must not be read meanwhile: a
// reading counts when no update was in progress and a second reading agrees. Format (BCD or binary, 12 or 24 hours) is
// what register B says; the century is where the FADT says, if it says.

using Hypervisor.Core.Acpi;

namespace Hypervisor.X64.Timers;

/// <summary>Reads the date and time of the CMOS clock, taken to be UTC.</summary>
public static unsafe class Rtc
{
    private const ushort Index = 0x70;
    private const ushort Data = 0x71;
    private const byte Seconds = 0x00;
    private const byte Minutes = 0x02;
    private const byte Hours = 0x04;
    private const byte Day = 0x07;
    private const byte Month = 0x08;
    private const byte Year = 0x09;
    private const byte StatusA = 0x0A;
    private const byte StatusB = 0x0B;
    private const byte UpdateInProgress = 0x80;
    private const byte Binary = 0x04;
    private const byte TwentyFourHours = 0x02;
    private const byte Afternoon = 0x80;

    /// <summary>Polls of the update flag; an update lasts two milliseconds.</summary>
    private const int Patience = 100_000;
    private const int Tries = 8;

    private struct Reading
    {
        public byte Second;
        public byte Minute;
        public byte Hour;
        public byte Day;
        public byte Month;
        public byte Year;
        public byte Century;

        public readonly bool Equals(in Reading other) =>
            Second == other.Second && Minute == other.Minute && Hour == other.Hour && Day == other.Day
            && Month == other.Month && Year == other.Year && Century == other.Century;
    }

    /// <summary>Seconds since 1970-01-01 00:00:00 UTC; 0 where there is no clock or it shows nonsense.</summary>
    public static ulong ReadSeconds(AcpiInformation* acpi)
    {
        if (acpi != null && acpi->HasNoCmosClock)
        {
            return 0;
        }

        byte centuryIndex = acpi != null ? acpi->CenturyIndex : (byte)0;
        Reading reading = ReadOnce(centuryIndex);
        for (int i = 0; i < Tries; i++)
        {
            Reading again = ReadOnce(centuryIndex);
            if (reading.Equals(in again))
            {
                return Convert(reading, Read(StatusB));
            }

            reading = again;
        }

        return 0;
    }

    private static ulong Convert(Reading reading, byte format)
    {
        bool isAfternoon = (format & TwentyFourHours) == 0 && (reading.Hour & Afternoon) != 0;
        uint hour = Decode((byte)(isAfternoon ? reading.Hour & ~Afternoon : reading.Hour), format);
        if ((format & TwentyFourHours) == 0)
        {
            hour = (hour % 12) + (isAfternoon ? 12u : 0u);
        }

        uint second = Decode(reading.Second, format);
        uint minute = Decode(reading.Minute, format);
        uint day = Decode(reading.Day, format);
        uint month = Decode(reading.Month, format);
        uint year = Decode(reading.Year, format);
        uint century = Decode(reading.Century, format);
        if (second > 59 || minute > 59 || hour > 23 || day is < 1 or > 31 || month is < 1 or > 12 || year > 99)
        {
            return 0;
        }

        // A century outside reason is memory that something else uses.
        year += century is >= 19 and <= 21 ? century * 100 : year < 70 ? 2000u : 1900u;
        if (year < 1970)
        {
            return 0;
        }

        return (((((DaysBefore(year, month) + day - 1) * 24UL) + hour) * 60) + minute) * 60 + second;
    }

    /// <summary>Days from 1970-01-01 to the first of a month.</summary>
    private static ulong DaysBefore(uint year, uint month)
    {
        // Counting years from March puts the leap day last: then a month's start is a linear function, rounded.
        uint marchYear = month < 3 ? year - 1 : year;
        uint marchMonth = month < 3 ? month + 9 : month - 3;
        ulong days = (365UL * marchYear) + (marchYear / 4) - (marchYear / 100) + (marchYear / 400)
            + (((153 * marchMonth) + 2) / 5);
        const ulong DaysToEpoch = 719468;
        return days - DaysToEpoch;
    }

    private static uint Decode(byte value, byte format) =>
        (format & Binary) != 0 ? value : (uint)((value >> 4) * 10) + (uint)(value & 15);

    private static Reading ReadOnce(byte centuryIndex)
    {
        for (int turn = 0; turn < Patience && (Read(StatusA) & UpdateInProgress) != 0; turn++)
        {
            Machine.Pause();
        }

        return new Reading
        {
            Second = Read(Seconds),
            Minute = Read(Minutes),
            Hour = Read(Hours),
            Day = Read(Day),
            Month = Read(Month),
            Year = Read(Year),
            Century = centuryIndex != 0 ? Read(centuryIndex) : (byte)0,
        };
    }

    private static byte Read(byte register)
    {
        Machine.Out8(Index, register);
        return Machine.In8(Data);
    }
}
