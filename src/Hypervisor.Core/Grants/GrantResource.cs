// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Grants;

/// <summary>
/// The grant table as tools map it (XENMEM_acquire_resource), to enter the console's and the store's frame for a guest
/// that has not run yet, or to carry entries over from a saved one.
/// </summary>
public static unsafe class GrantResource
{
    /// <summary>Frame <paramref name="index"/> of the table, which grows where it is too short.</summary>
    /// <returns>Inval: beyond what the domain may have. NoMem.</returns>
    public static Errno Frame(Domain* domain, uint index, out Mfn mfn)
    {
        mfn = Mfn.None;
        if (index >= GrantTable.LimitOf(domain))
        {
            return Errno.Inval;
        }

        domain->Grants.Lock.Acquire();
        Errno error = GrantTable.Grow(domain, index + 1);
        if (error == Errno.Ok)
        {
            mfn = GrantTable.FrameAt(domain, index);
        }

        domain->Grants.Lock.Release();
        return error;
    }
}
