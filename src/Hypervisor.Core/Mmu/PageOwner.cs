// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Which domain an MMU request is about.</summary>
public static unsafe class PageOwner
{
    private static Domain* s_shown;

    /// <summary>The pseudo domain that owns <see cref="FrameTable.OwnerShown"/> frames; zeroed memory for a Domain. Once, at boot.</summary>
    public static void Initialise(Domain* shown)
    {
        shown->Id = FrameTable.OwnerShown;
        shown->References = 1;
        s_shown = shown;
    }

    /// <summary>The domain that <paramref name="id"/> names for <paramref name="caller"/>, with a reference.</summary>
    /// <returns>Perm: the caller may not act for another domain. Srch: there is none.</returns>
    public static Errno Resolve(Domain* caller, uint id, out Domain* owner)
    {
        owner = null;
        if (id == 0x7FF0 || id == caller->Id)
        {
            owner = caller;
            return Errno.Ok;
        }

        if (!caller->IsPrivileged)
        {
            return Errno.Perm;
        }

        switch (id)
        {
            case FrameTable.OwnerIo:
                // Frames that are no RAM are recognised by themselves.
                owner = caller;
                return Errno.Ok;
            case FrameTable.OwnerShown:
                owner = s_shown;
                return Errno.Ok;
            default:
                owner = DomainTable.TryGet(id);
                return owner == null ? Errno.Srch : Errno.Ok;
        }
    }

    /// <summary>Gives back what <see cref="Resolve"/> took.</summary>
    public static void Put(Domain* caller, Domain* owner)
    {
        if (owner != caller && owner != s_shown)
        {
            _ = DomainTable.Put(owner);
        }
    }
}
