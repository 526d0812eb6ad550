// SPDX-License-Identifier: MIT
using System;
using System.Text.Json;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Interop;
using Dom0.Xend.Api;

namespace Dom0.Xend.Backends;

/// <summary>One piece of device work for the process that keeps domains.</summary>
internal sealed class BackendConnection : RequestConnection
{
    private readonly DeviceDesk _desk;

    /// <summary>Serves a connection, which it then owns.</summary>
    public BackendConnection(FileDescriptor socket, DeviceDesk desk, Action<string> log)
        : base(socket, log) => _desk = desk;

    /// <inheritdoc/>
    protected override bool Handle(ApiRequest request)
    {
        switch (request.Method)
        {
            case "devices.attach":
                AttachParameters attach = ApiMethods.Parameters(request.Params, BackendJson.Default.AttachParameters);
                _desk.AttachAll(attach.Domain, attach.Config);
                Report(request.Id, new DeviceReport([]));
                break;
            case "devices.remove":
                RemoveParameters remove = ApiMethods.Parameters(request.Params, BackendJson.Default.RemoveParameters);
                Report(request.Id, new DeviceReport(_desk.RemoveAll(remove.Domain)));
                break;
            default:
                RefuseMethod(request);
                break;
        }

        return false;
    }

    private void Report(long id, DeviceReport report) =>
        Succeed(id, JsonSerializer.SerializeToElement(report, BackendJson.Default.DeviceReport));
}
