// SPDX-License-Identifier: MIT
//
// The nodes of a device, all of them in one transaction: drivers on both sides wake when a directory appears, and must
// find everything in it.
using System.Collections.Generic;
using System.Globalization;
using Dom0.Toolstack.Store;

namespace Dom0.Toolstack.Devices;

/// <summary>Writes and removes the nodes of devices.</summary>
internal static class DeviceEntries
{
    private const string Mark = "attachment";

    /// <summary>
    /// Writes both ends; <paramref name="backend"/> and <paramref name="frontend"/> are what the kind adds, and by
    /// <paramref name="mark"/> the writer knows its work again (<see cref="IsWritten"/>).
    /// </summary>
    public static void Write(StoreClient store, uint transaction, DeviceAddress device, string mark,
        IEnumerable<(string Name, string Value)> backend, IEnumerable<(string Name, string Value)> frontend)
    {
        string guest = device.Domain.ToString(CultureInfo.InvariantCulture);
        string[] toolsOnly = ["n0"];
        string[] guestReads = ["n0", $"r{guest}"];
        string[] guestOwns = [$"n{guest}", "r0"];
        (string, string)[] backendNodes =
        [
            ("frontend", device.Frontend), ("frontend-id", guest), ("online", "1"), ("state", "1"), .. backend,
        ];
        (string, string)[] frontendNodes =
            [("backend", device.Backend), ("backend-id", "0"), ("state", "1"), .. frontend];

        Make(DeviceAddress.BackendsOf(device.Kind, device.Domain), toolsOnly);
        Make(device.Backend, guestReads);
        Fill(device.Backend, backendNodes, guestReads);
        Make(device.Record, toolsOnly);
        Fill(device.Record, [("frontend", device.Frontend), ("backend", device.Backend), (Mark, mark), .. backendNodes[1..]],
            toolsOnly);
        Make(Parent(device.Frontend), guestReads);
        Make(device.Frontend, guestOwns);
        Fill(device.Frontend, frontendNodes, guestOwns);

        void Make(string path, IReadOnlyList<string> permissions)
        {
            store.MakeDirectory(path, transaction);
            store.SetPermissions(path, permissions, transaction);
        }

        void Fill(string path, IEnumerable<(string Name, string Value)> nodes, IReadOnlyList<string> permissions)
        {
            foreach ((string name, string value) in nodes)
            {
                store.Write($"{path}/{name}", value, transaction);
                store.SetPermissions($"{path}/{name}", permissions, transaction);
            }
        }
    }

    /// <summary>Was the device written with the mark?</summary>
    public static bool IsWritten(StoreClient store, DeviceAddress device, string mark) =>
        store.TryRead($"{device.Record}/{Mark}") == mark;

    /// <summary>Was the device written here, and not by Debian's tools?</summary>
    public static bool IsOurs(StoreClient store, DeviceAddress device) => store.TryRead($"{device.Record}/{Mark}") is not null;

    /// <summary>Asks the back end to end; false when there is none any more.</summary>
    public static bool Close(StoreClient store, DeviceAddress device)
    {
        bool isThere = false;
        store.InTransaction(transaction =>
        {
            int state = DeviceStates.Read(store, device.Backend, transaction);
            isThere = state != 0;
            if (isThere)
            {
                store.Write($"{device.Backend}/online", "0", transaction);
            }

            if (state is > 0 and < DeviceStates.Closing)
            {
                store.Write($"{device.Backend}/state", "5", transaction);
            }
        });
        return isThere;
    }

    /// <summary>Removes all nodes of a device.</summary>
    public static void Remove(StoreClient store, DeviceAddress device) => store.InTransaction(transaction =>
    {
        foreach (string path in (string[])
            [device.Frontend, device.Record, device.Backend, device.BackendError, device.FrontendError])
        {
            store.Remove(path, transaction);
        }
    });

    private static string Parent(string path) => path[..path.LastIndexOf('/')];
}
