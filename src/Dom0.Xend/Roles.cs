// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Store;
using Dom0.Toolstack;
using Dom0.Toolstack.Store;
using Dom0.Xend.Supervisor;

namespace Dom0.Xend;

/// <summary>The processes of the daemon, by the word that starts each.</summary>
internal static class Roles
{
    /// <summary>The store.</summary>
    public const string Store = "store";

    /// <summary>Devices of domains.</summary>
    public const string Backends = "backends";

    /// <summary>Domains, consoles and the interface.</summary>
    public const string Domains = "domains";

    /// <summary>All, in the order in which they are started.</summary>
    public static IReadOnlyList<string> All { get; } = [Store, Backends, Domains];

    /// <summary>Those to be run here: the store only if no other program serves it already.</summary>
    public static IReadOnlyList<string> Wanted(Action<string> log)
    {
        if (RoleLock.Holder(Places.LockOf(Store)) is null && IsStoreServed())
        {
            log("another program serves the store: xend runs none of its own");
            return [Backends, Domains];
        }

        return All;
    }

    /// <summary>Is the store, whoever's it is.</summary>
    /// <exception cref="ToolstackException">It runs already, or cannot start.</exception>
    public static int RunStore()
    {
        Places.MakeRunFolder();
        using RoleLock held = RoleLock.TryTake(Places.LockOf(Store))
            ?? throw new ToolstackException("another xend serves the store already", "See 'xend status'");
        Action<string> log = new XendLog(Places.Log, Store).Write;
        StoreDaemon.Run(new StoreOptions { Log = log, Ready = () => log("serves the store") });
        return 0;
    }

    private static bool IsStoreServed()
    {
        try
        {
            using StoreClient client = StoreClient.ConnectForLong();
            return client.List("/").Count > 0;
        }
        catch (ToolstackException)
        {
            return false;
        }
    }
}
