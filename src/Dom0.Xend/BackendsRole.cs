// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;
using Dom0.Xend.Api;
using Dom0.Xend.Backends;
using Dom0.Xend.Supervisor;

namespace Dom0.Xend;

/// <summary>
/// The process that makes domains' devices: loop devices, bridges, scripts, and waiting for drivers. What hangs or dies in
/// it does not keep consoles and other domains waiting. It keeps nothing: all there is to know stands in the store.
/// </summary>
internal static class BackendsRole
{
    /// <summary>Runs until the process is ended.</summary>
    /// <exception cref="ToolstackException">It cannot start, or runs already.</exception>
    public static int Run()
    {
        Action<string> log = new XendLog(Places.Log, Roles.Backends).Write;
        _ = Libc.Signal(Libc.PipeSignal, Libc.IgnoreSignal);
        Places.MakeRunFolder();
        using RoleLock held = RoleLock.TryTake(Places.LockOf(Roles.Backends))
            ?? throw new ToolstackException("another xend serves the back ends already", "See 'xend status'");
        DeviceDesk desk = new(work =>
        {
            using StoreClient store = StoreClient.ConnectForLong();
            work(new DeviceManager(store));
        });
        ApiServer server = new(Places.Backends, socket => new BackendConnection(socket, desk, log), log);
        log("serves the back ends");
        server.Run();
        return 0;
    }
}
