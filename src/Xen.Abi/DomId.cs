// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>domid_t</c>: number of a domain.</summary>
public readonly struct DomId
#if !FREESTANDING
    : System.IEquatable<DomId>
#endif
{
    /// <summary>The bare number.</summary>
    public readonly ushort Raw;

    /// <summary>Names the domain of that number.</summary>
    public DomId(ushort raw)
    {
        Raw = raw;
    }

    /// <summary><c>DOMID_FIRST_RESERVED</c>: ordinary domains have smaller numbers.</summary>
    public static DomId FirstReserved => new DomId(0x7ff0);

    /// <summary><c>DOMID_SELF</c>: the caller.</summary>
    public static DomId Self => new DomId(0x7ff0);

    /// <summary><c>DOMID_IO</c>: owner of memory-mapped I/O.</summary>
    public static DomId Io => new DomId(0x7ff1);

    /// <summary><c>DOMID_XEN</c>: owner of frames of the hypervisor that privileged domains may map.</summary>
    public static DomId Xen => new DomId(0x7ff2);

    /// <summary><c>DOMID_COW</c>: owner of pages shared copy-on-write.</summary>
    public static DomId Cow => new DomId(0x7ff3);

    /// <summary><c>DOMID_INVALID</c>: no domain.</summary>
    public static DomId Invalid => new DomId(0x7ff4);

    /// <summary><c>DOMID_IDLE</c>: the idle domain.</summary>
    public static DomId Idle => new DomId(0x7fff);

    /// <summary><c>DOMID_MASK</c>: bits that a domain number has.</summary>
    public const ushort Mask = 0x7fff;

    /// <summary>Same number.</summary>
    public static bool operator ==(DomId left, DomId right) => left.Raw == right.Raw;

    /// <summary>Different numbers.</summary>
    public static bool operator !=(DomId left, DomId right) => left.Raw != right.Raw;

#if !FREESTANDING
    /// <summary>Same number.</summary>
    public bool Equals(DomId other) => Raw == other.Raw;

    /// <summary>Same type and number.</summary>
    public override bool Equals(object other) => other is DomId same && Equals(same);

    /// <summary>For dictionaries of the toolstack.</summary>
    public override int GetHashCode() => (int)Raw;

    /// <summary>The number in decimal.</summary>
    public override string ToString() => Raw.ToString();
#endif
}
