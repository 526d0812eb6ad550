// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Devices;

namespace Dom0.Toolstack.Config;

/// <summary>Refuses lists of devices that cannot be meant.</summary>
public static class DeviceListCheck
{
    /// <summary>Most network interfaces of a domain.</summary>
    public const int MaximumVifs = 64;

    private const int MaximumDisks = 256;

    /// <summary>Refuses a disk that cannot be read, and two of the same number.</summary>
    public static void CheckDisks(IReadOnlyList<string> disks)
    {
        HashSet<int> numbers = [];
        foreach (DiskSpec disk in disks.Select(DiskSpec.Parse))
        {
            if (!numbers.Add(disk.Number))
            {
                throw new ToolstackException($"disk: two disks are called {disk.Name}, or what stands for the same number",
                    "Give each disk a name of its own");
            }
        }

        RequireFew("disk", disks.Count, MaximumDisks);
    }

    /// <summary>Refuses a network interface that cannot be read, and two of the same address.</summary>
    public static void CheckVifs(IReadOnlyList<string> vifs)
    {
        HashSet<string> addresses = [];
        HashSet<int> handles = [];
        foreach (VifSpec vif in vifs.Select(VifSpec.Parse))
        {
            if (vif.Mac is { } mac && !addresses.Add(mac))
            {
                throw new ToolstackException($"vif: two interfaces have the address {mac}",
                    "Give each an address of its own, or leave mac= out");
            }

            if (vif.Handle is { } handle && !handles.Add(handle))
            {
                throw new ToolstackException($"vif: two interfaces have the handle {handle}",
                    "Give each a handle of its own, or leave handle= out");
            }
        }

        RequireFew("vif", vifs.Count, MaximumVifs);
    }

    private static void RequireFew(string key, int count, int maximum)
    {
        if (count > maximum)
        {
            throw new ToolstackException($"{key}: there are {count}, and {maximum} are possible", $"Shorten {key}");
        }
    }
}
