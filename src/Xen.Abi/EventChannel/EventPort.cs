// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>evtchn_port_t</c>: number of an event channel within its domain.</summary>
public readonly struct EventPort
#if !FREESTANDING
    : System.IEquatable<EventPort>
#endif
{
    /// <summary>The bare number.</summary>
    public readonly uint Raw;

    /// <summary>Names the port of that number.</summary>
    public EventPort(uint raw)
    {
        Raw = raw;
    }

    /// <summary>Same number.</summary>
    public static bool operator ==(EventPort left, EventPort right) => left.Raw == right.Raw;

    /// <summary>Different numbers.</summary>
    public static bool operator !=(EventPort left, EventPort right) => left.Raw != right.Raw;

#if !FREESTANDING
    /// <summary>Same number.</summary>
    public bool Equals(EventPort other) => Raw == other.Raw;

    /// <summary>Same type and number.</summary>
    public override bool Equals(object other) => other is EventPort same && Equals(same);

    /// <summary>For dictionaries of the toolstack.</summary>
    public override int GetHashCode() => (int)Raw;

    /// <summary>The number in decimal.</summary>
    public override string ToString() => Raw.ToString();
#endif
}
