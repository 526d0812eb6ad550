// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Text.Json.Serialization.Metadata;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;

namespace Dom0.Xend.Backends;

/// <summary>Device work that the process of the back ends does; each piece has a connection of its own.</summary>
internal sealed class RemoteDevices : IDeviceService
{
    /// <summary>More than any piece of work takes that does not hang: scripts and drivers have limits of their own.</summary>
    private const int Patience = 600_000;

    private readonly string _path;

    /// <summary>Works by the process that listens on <paramref name="path"/>.</summary>
    public RemoteDevices(string path) => _path = path;

    /// <inheritdoc/>
    public void AttachAll(int domain, DomainConfig config) => _ = Call("devices.attach",
        new AttachParameters(domain, config), BackendJson.Default.AttachParameters);

    /// <inheritdoc/>
    public IReadOnlyList<string> RemoveAll(int domain) => Call("devices.remove",
        new RemoveParameters(domain), BackendJson.Default.RemoveParameters).Complaints;

    private DeviceReport Call<T>(string method, T parameters, JsonTypeInfo<T> type)
    {
        using XendClient client = XendClient.TryConnect(_path)
            ?? throw new XendDisconnectedException("xend's process of the back ends does not run",
                wasConnected: false);
        client.Patience = Patience;
        return client.Call(method, parameters, type, BackendJson.Default.DeviceReport);
    }
}
