// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>The domain that a request names: the caller itself, or for privileged callers any.</summary>
public static unsafe class TargetDomain
{
    private const uint Self = 0x7FF0;

    /// <summary>The domain, with a reference that <see cref="Put"/> gives back.</summary>
    /// <returns>Perm: the caller may not act for another domain. Srch: there is none.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Errno Resolve(Domain* caller, uint id, out Domain* domain)
    {
        domain = caller;
        return id == Self || id == caller->Id ? Errno.Ok : ResolveOther(caller, id, out domain);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(Domain* caller, Domain* domain)
    {
        if (domain != caller)
        {
            _ = DomainTable.Put(domain);
        }
    }

    private static Errno ResolveOther(Domain* caller, uint id, out Domain* domain)
    {
        domain = null;
        if (!caller->IsPrivileged)
        {
            return Errno.Perm;
        }

        domain = DomainTable.TryGet(id);
        return domain == null ? Errno.Srch : Errno.Ok;
    }
}
