// SPDX-License-Identifier: MIT

namespace Hypervisor;

/// <summary>Lets so many messages pass in a period and counts the rest. Time is the time stamp counter's: the periods
/// need not be exact.</summary>
/// <remarks>Locking: none of its own.</remarks>
public struct MessageRate
{
    /// <summary>Messages in a <see cref="Period"/>.</summary>
    public const uint Burst = 10;

    /// <summary>2³⁴ ticks, four to eight seconds.</summary>
    public const ulong Period = 1UL << 34;

    private ulong _start;
    private uint _passed;
    private uint _suppressed;

    public readonly bool HasSuppressed => _suppressed != 0;

    /// <summary>One more message; false: it is not to be shown.</summary>
    public bool TryPass(ulong now)
    {
        // A period that begins in the future is another CPU's view of this very moment.
        if (_start == 0 || (long)(now - _start) >= (long)Period)
        {
            _start = now;
            _passed = 0;
        }

        if (_passed < Burst)
        {
            _passed++;
            return true;
        }

        _suppressed++;
        return false;
    }

    /// <summary>Messages that did not pass, to be told once their period is over or at once.</summary>
    public uint TakeSuppressed(ulong now, bool atOnce)
    {
        if (!atOnce && (long)(now - _start) < (long)Period)
        {
            return 0;
        }

        uint suppressed = _suppressed;
        _suppressed = 0;
        return suppressed;
    }
}
