// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Mmu;

/// <summary>Which frames that are no RAM a domain may map.</summary>
public static unsafe class DeviceMemoryRules
{
    private const int MaxRefused = 32;

    private struct Ranges
    {
        public fixed ulong First[MaxRefused];
        public fixed ulong Count[MaxRefused];
        public int Used;
    }

    private static Ranges s_refused;

    /// <summary>Keeps frames that the hypervisor drives itself (APICs, HPET, MSI-X tables) from every domain.</summary>
    /// <returns>False when the list is full.</returns>
    public static bool Refuse(Mfn first, ulong frames)
    {
        if (s_refused.Used == MaxRefused)
        {
            return false;
        }

        s_refused.First[s_refused.Used] = first.Raw;
        s_refused.Count[s_refused.Used] = frames;
        s_refused.Used++;
        return true;
    }

    /// <returns>Ok, or Perm: no hardware access, the hypervisor's own, or beyond the processor's addresses.</returns>
    public static Errno Check(Domain* domain, Mfn mfn)
    {
        if (!domain->HasHardwareAccess || mfn.Raw >= FrameTable.AddressLimit)
        {
            return Errno.Perm;
        }

        for (int index = 0; index < s_refused.Used; index++)
        {
            if (mfn.Raw - s_refused.First[index] < s_refused.Count[index])
            {
                return Errno.Perm;
            }
        }

        return Errno.Ok;
    }
}
