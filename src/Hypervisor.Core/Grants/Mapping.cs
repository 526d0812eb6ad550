// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Core.Grants;

/// <summary>One mapping of another domain's grant: what a handle stands for.</summary>
/// <remarks>Locking: <see cref="DomainGrants.MappingLock"/> of the mapping domain.</remarks>
[StructLayout(LayoutKind.Sequential, Size = 16)]
public struct Mapping
{
    /// <summary>The grant reference, within <see cref="Granter"/>'s table.</summary>
    public uint Reference;

    /// <summary>Next free handle, or next of the batch that is being unmapped.</summary>
    public uint Next;

    public ushort Granter;
    public MappingState State;
}
