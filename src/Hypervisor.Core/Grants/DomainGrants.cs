// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>A domain's grant table (what it grants) and its mappings (what it has mapped of others).</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct DomainGrants
{
    /// <summary>Protects the table of what this domain grants: frames, active entries, the hypervisor's bits in shared
    /// entries.</summary>
    public SpinLock Lock;

    /// <summary>Frames shared with the domain: pointers in one page.</summary>
    public GrantEntryV1** Frames;

    /// <summary>Pages of active entries, two for each frame: pointers in two pages.</summary>
    public ActiveGrant** Active;
    public uint FrameCount;

    /// <summary>The domain is dying: nothing is granted any more.</summary>
    public bool IsClosed;

    /// <summary>Protects what follows: the mappings that this domain has made.</summary>
    public SpinLock MappingLock;

    /// <summary>Pages of mappings; null until there was one.</summary>
    public Mapping** Mappings;
    public uint MappingPages;

    /// <summary>Head of the list of free handles.</summary>
    public uint FirstFreeHandle;

    /// <summary>Handles in use.</summary>
    public uint MappingCount;

    /// <summary>Where <see cref="GrantDomain.Destroy"/> goes on.</summary>
    public uint DestroyCursor;
}
