// SPDX-License-Identifier: MIT
using System;
using System.Text.Json;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Interop;
using Dom0.Xend.Domains;

namespace Dom0.Xend.Api;

/// <summary>One client of the interface: requests, events between their answers, or a console.</summary>
internal sealed class ApiConnection : RequestConnection
{
    private readonly ApiMethods _methods;
    private EventSubscription? _subscription;
    private string _lastStep = "";
    private long _lastDone;
    private FileDescriptor? _wake;

    /// <summary>Serves a connection, which it then owns.</summary>
    public ApiConnection(FileDescriptor socket, ApiMethods methods)
        : base(socket, methods.Log) => _methods = methods;

    /// <inheritdoc/>
    protected override int WakeDescriptor => _wake?.Number ?? -1;

    /// <inheritdoc/>
    protected override bool Handle(ApiRequest request)
    {
        switch (request.Method)
        {
            case "events.subscribe":
                Subscribe();
                Succeed(request.Id, JsonSerializer.SerializeToElement(
                    _methods.Status(), ApiJson.Default.DaemonStatus));
                return false;
            case "console.attach":
                return AttachConsole(request);
            default:
                Action<StepProgress>? listener = request.Progress == true ? step => Tell(request.Id, step) : null;
                if (Progress.While(listener, () => _methods.Call(request.Method, request.Params)) is { } result)
                {
                    Succeed(request.Id, result);
                }
                else
                {
                    RefuseMethod(request);
                }

                return false;
        }
    }

    /// <inheritdoc/>
    protected override void Woken()
    {
        Span<byte> count = stackalloc byte[sizeof(ulong)];
        _ = _wake!.Read(count);
        while (_subscription!.TryTake(out DomainEvent? happened))
        {
            Send(new ApiEventLine(happened!), ApiJson.Default.ApiEventLine);
        }
    }

    /// <inheritdoc/>
    protected override void Ended()
    {
        if (_subscription is not null)
        {
            _methods.Events.Unsubscribe(_subscription);
            _wake!.Dispose();
        }
    }

    /// <summary>Nothing waits for a client that does not read, and nothing fails because it is gone.</summary>
    private void Tell(long id, StepProgress step)
    {
        // Within a step, a hundred lines are enough.
        bool isNews = step.Step != _lastStep || step.Total <= 0
            || 100 * step.Done / step.Total != 100 * _lastDone / step.Total;
        if (!isNews || !Socket.HasRoom())
        {
            return;
        }

        (_lastStep, _lastDone) = (step.Step, step.Done);
        try
        {
            Send(new ApiProgressLine(new ApiProgress(id, step.Step, step.Done, step.Total)),
                ApiJson.Default.ApiProgressLine);
        }
        catch (ToolstackException)
        {
            // The answer will find out.
        }
    }

    private bool AttachConsole(ApiRequest request)
    {
        ConsoleParameters wanted = ApiMethods.Parameters(request.Params, ApiJson.Default.ConsoleParameters);
        (Guid uuid, long position) = _methods.FindConsole(wanted);
        Succeed(request.Id, JsonSerializer.SerializeToElement(
            new ConsoleStart(uuid, position), ApiJson.Default.ConsoleStart));
        _methods.AttachConsole(uuid, Socket, position);
        return true;
    }

    private void Subscribe()
    {
        if (_subscription is not null)
        {
            throw new ToolstackException("this connection is subscribed to events already");
        }

        FileDescriptor wake = FileDescriptor.Own(
            Libc.EventDescriptor(0, Libc.EventNonBlocking | Libc.EventCloseOnExec));
        _wake = wake;
        _subscription = new EventSubscription(() => _ = wake.Write(BitConverter.GetBytes(1UL)));
        _methods.Events.Subscribe(_subscription);
    }
}
