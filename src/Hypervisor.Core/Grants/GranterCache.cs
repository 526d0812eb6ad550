// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor.Core.Grants;

/// <summary>The granter that the last request of a batch named: most name the same one over and over.</summary>
public unsafe struct GranterCache
{
    private Domain* _domain;

    /// <summary>The domain with this number, or null. Unless it is the caller's own, which runs, a reference keeps it
    /// until another one is asked for or <see cref="Clear"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Domain* Get(Domain* caller, ushort id)
    {
        if (id == caller->Id)
        {
            return caller;
        }

        if (_domain == null || _domain->Id != id)
        {
            Clear();
            _domain = DomainTable.TryGet(id);
        }

        return _domain;
    }

    internal void Clear()
    {
        if (_domain != null)
        {
            _ = DomainTable.Put(_domain);
            _domain = null;
        }
    }
}
