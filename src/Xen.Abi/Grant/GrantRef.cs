// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary><c>grant_ref_t</c>: index of a grant-table entry within its domain.</summary>
public readonly struct GrantRef
#if !FREESTANDING
    : System.IEquatable<GrantRef>
#endif
{
    /// <summary>The bare number.</summary>
    public readonly uint Raw;

    /// <summary>Names the entry of that index.</summary>
    public GrantRef(uint raw)
    {
        Raw = raw;
    }

    /// <summary>Same number.</summary>
    public static bool operator ==(GrantRef left, GrantRef right) => left.Raw == right.Raw;

    /// <summary>Different numbers.</summary>
    public static bool operator !=(GrantRef left, GrantRef right) => left.Raw != right.Raw;

#if !FREESTANDING
    /// <summary>Same number.</summary>
    public bool Equals(GrantRef other) => Raw == other.Raw;

    /// <summary>Same type and number.</summary>
    public override bool Equals(object other) => other is GrantRef same && Equals(same);

    /// <summary>For dictionaries of the toolstack.</summary>
    public override int GetHashCode() => (int)Raw;

    /// <summary>The number in decimal.</summary>
    public override string ToString() => Raw.ToString();
#endif
}
