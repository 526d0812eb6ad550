// SPDX-License-Identifier: MIT
// Guests write in pieces: several domains that speak at once would mix within a line. A domain's text is collected
// until its line ends, then leaves with the domain's number in front. Few domains speak at the same time: a small table
// suffices, and whoever finds no place in it makes the oldest unfinished line leave as it is.
//
// A guest that writes without end would drown the log. All lines draw on one account of bytes that time refills; a
// line that finds it empty is counted, and the count is reported when lines flow again.

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Console;

/// <summary>Unfinished lines of domains that may write to the hypervisor's log.</summary>
/// <remarks>Locking: none of its own; <see cref="ConsoleOps"/> serialises.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct GuestLines
{
    public const int Slots = 4;
    public const int LineCapacity = 240;

    private const long Burst = 64 * 1024;

    /// <summary>A byte for every 2¹⁷ ticks: some 16 to 32 KiB a second.</summary>
    private const int RefillShift = 17;

    private fixed byte _text[Slots * LineCapacity];
    private fixed int _length[Slots];
    private fixed uint _domain[Slots];
    private int _nextVictim;
    private long _credit;
    private ulong _lastRefill;
    private uint _dropped;
    private uint _droppedOf;
    private bool _droppedOfOthers;

    /// <summary>Adds text of a domain; complete lines go to the log.</summary>
    /// <param name="domain">Number of the domain.</param>
    /// <param name="text">Bytes to add.</param>
    /// <param name="length">Their number.</param>
    /// <param name="now">The time stamp counter; 0 means that no limit applies.</param>
    public void Write(uint domain, byte* text, int length, ulong now)
    {
        int slot = SlotOf(domain, now);
        for (int i = 0; i < length; i++)
        {
            byte character = text[i];
            if (character == '\n' || _length[slot] == LineCapacity)
            {
                Emit(slot, now);
            }

            // Control characters could rewrite what others have said.
            if (character is >= 32 and not 127 or (byte)'\t')
            {
                _text[(slot * LineCapacity) + _length[slot]++] = character;
            }
        }
    }

    /// <summary>Lets an unfinished line leave: its domain ends.</summary>
    public void Flush(uint domain, ulong now)
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            if (_domain[slot] == domain && _length[slot] != 0)
            {
                Emit(slot, now);
            }
        }
    }

    private int SlotOf(uint domain, ulong now)
    {
        int free = -1;
        for (int slot = 0; slot < Slots; slot++)
        {
            if (_domain[slot] == domain)
            {
                return slot;
            }

            if (_length[slot] == 0)
            {
                free = slot;
            }
        }

        if (free < 0)
        {
            free = _nextVictim;
            _nextVictim = (_nextVictim + 1) & (Slots - 1);
            Emit(free, now);
        }

        _domain[free] = domain;
        return free;
    }

    private void Emit(int slot, ulong now)
    {
        int length = _length[slot];
        _length[slot] = 0;
        if (now != 0 && !TrySpend(length + 8, now))
        {
            _droppedOfOthers |= _dropped != 0 && _droppedOf != _domain[slot];
            _droppedOf = _domain[slot];
            _dropped++;
            return;
        }

        if (_dropped != 0)
        {
            Log.Error("d"u8).Decimal(_droppedOf).Text(_droppedOfOthers ? " and others: "u8 : ": "u8).Decimal(_dropped)
                .Text(" messages suppressed"u8).End();
            _dropped = 0;
            _droppedOfOthers = false;
        }

        fixed (byte* text = _text)
        {
            LogLine line = new(true);
            line.Text("(d"u8).Decimal(_domain[slot]).Text(") "u8)
                .Text(new System.ReadOnlySpan<byte>(text + (slot * LineCapacity), length)).End();
        }
    }

    private bool TrySpend(int bytes, ulong now)
    {
        ulong earned = (now - _lastRefill) >> RefillShift;
        if (_lastRefill == 0 || earned > Burst || now < _lastRefill)
        {
            _credit = Burst;
            _lastRefill = now;
        }
        else if (earned != 0)
        {
            _credit = _credit + (long)earned > Burst ? Burst : _credit + (long)earned;
            _lastRefill += earned << RefillShift;
        }

        if (_credit < bytes)
        {
            return false;
        }

        _credit -= bytes;
        return true;
    }
}
