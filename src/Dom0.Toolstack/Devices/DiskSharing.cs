// SPDX-License-Identifier: MIT
//
// Two kernels that write the same file system destroy it. A disk that is written has one user; one that is read has any
// number of readers. 'w!' lifts the rule, for file systems that are made for it.
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Devices;

/// <summary>Finds who uses what is behind a disk.</summary>
internal static class DiskSharing
{
    /// <summary>Refuses a disk that another user forbids; part of the transaction that writes its nodes.</summary>
    public static void Check(StoreClient store, uint transaction, IHostDevices host, int domain, DiskSpec disk,
        HostFile file)
    {
        if (disk.Mode == DiskMode.SharedWritable)
        {
            return;
        }

        HashSet<string> overlaps = [.. host.Overlaps(file).Select(number => number.Node)];
        string all = DeviceAddress.BackendsOf(DeviceKind.Vbd);
        foreach (string other in store.List(all, transaction))
        {
            foreach (string number in store.List($"{all}/{other}", transaction))
            {
                string path = $"{all}/{other}/{number}";
                bool isWritten = store.TryRead($"{path}/mode", transaction) is { } mode && mode.StartsWith('w');
                if ((isWritten || disk.Mode == DiskMode.Writable) && IsSame(store, transaction, host, path, file, overlaps))
                {
                    string name = store.TryRead($"{path}/dev", transaction) ?? number;
                    string user = store.TryRead($"/local/domain/{other}/name", transaction) ?? other;
                    throw new ToolstackException(
                        $"disk {disk.Name}: {disk.Target} is {(isWritten ? "written" : "read")} by domain {other} ('{user}') "
                            + $"as {name}" + (domain.ToString() == other ? ", the same domain" : ""),
                        "Detach it there first (xm block-detach), give both of them mode r, or say w! if the file system "
                            + "is made for several writers");
                }
            }
        }
    }

    /// <summary>
    /// Refuses what Domain-0 uses itself: to a guest that would write all of it, to one that reads what Domain-0 writes.
    /// </summary>
    public static void CheckOwnUse(IHostDevices host, DiskSpec disk, HostFile file)
    {
        if (disk.Mode != DiskMode.SharedWritable && host.OwnUse(file) is { } use
            && (disk.Mode == DiskMode.Writable || use.IsWritten))
        {
            throw new ToolstackException($"disk {disk.Name}: {disk.Target} is {use.What}", use.Remedy);
        }
    }

    private static bool IsSame(StoreClient store, uint transaction, IHostDevices host, string path, HostFile file,
        HashSet<string> overlaps)
    {
        if (store.TryRead($"{path}/physical-device", transaction) is { } number && overlaps.Contains(number))
        {
            return true;
        }

        if (file.File is null || store.TryRead($"{path}/params", transaction) is not { } target || !target.StartsWith('/'))
        {
            return false;
        }

        try
        {
            return host.Identify(target).File == file.File;
        }
        catch (ToolstackException)
        {
            // A file that is gone by now is not the one that was just opened.
            return false;
        }
    }
}
