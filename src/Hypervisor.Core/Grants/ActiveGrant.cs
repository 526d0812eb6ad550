// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Grants;

/// <summary>What the hypervisor remembers of a grant in use; while it is, the shared entry is not believed.</summary>
/// <remarks>Locking: <see cref="DomainGrants.Lock"/> of the granter.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 16)]
public struct ActiveGrant
{
    /// <summary>Mappings that may read, and mappings that may write, too.</summary>
    public uint Readers;
    public uint Writers;

    /// <summary>The granted frame, and to which domain; valid while there is a mapping.</summary>
    public uint Frame;
    public ushort Domain;

    public readonly bool IsPinned => (Readers | Writers) != 0;
}
