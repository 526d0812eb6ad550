// SPDX-License-Identifier: MIT
using System;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Interop;
using Dom0.Xend.Domains;

namespace Dom0.Xend.Api;

/// <summary>One client: reads its requests, one line each, and answers them in their order.</summary>
internal sealed class ApiConnection
{
    private const int LineLimit = 1024 * 1024;

    private readonly FileDescriptor _socket;
    private readonly ApiMethods _methods;
    private readonly LineReader _lines = new(LineLimit);
    private EventSubscription? _subscription;
    private FileDescriptor? _wake;

    /// <summary>Serves a connection, which it then owns.</summary>
    public ApiConnection(FileDescriptor socket, ApiMethods methods)
    {
        _socket = socket;
        _methods = methods;
    }

    /// <summary>Serves until the client leaves, or the connection becomes a console.</summary>
    public void Run()
    {
        bool isHandedOver = false;
        try
        {
            Send(new ApiGreeting { Api = XendClient.Version, OldestApi = XendClient.Version },
                ApiJson.Default.ApiGreeting);
            while (!isHandedOver && Fill())
            {
                while (!isHandedOver && _lines.TakeLine() is { } line)
                {
                    isHandedOver = Answer(line);
                }

                if (_lines.IsTooLong)
                {
                    Refuse(0, ApiErrorCode.BadRequest, $"a request has at most {LineLimit} bytes");
                    return;
                }
            }
        }
        finally
        {
            if (_subscription is not null)
            {
                _methods.Events.Unsubscribe(_subscription);
                _wake!.Dispose();
            }

            if (!isHandedOver)
            {
                _socket.Dispose();
            }
        }
    }

    /// <summary>Waits for bytes of the client, handing it events meanwhile; false when it has left.</summary>
    private unsafe bool Fill()
    {
        Libc.PollEntry* entries = stackalloc Libc.PollEntry[2];
        while (true)
        {
            entries[0] = new() { Descriptor = _socket.Number, Events = Libc.PollIn };
            entries[1] = new() { Descriptor = _wake?.Number ?? -1, Events = Libc.PollIn };
            _ = Libc.Poll(entries, 2, -1);
            if (entries[1].Returned != 0)
            {
                Span<byte> count = stackalloc byte[sizeof(ulong)];
                _ = _wake!.Read(count);
                while (_subscription!.TryTake(out DomainEvent? happened))
                {
                    Send(new ApiEventLine(happened!), ApiJson.Default.ApiEventLine);
                }
            }

            if (entries[0].Returned == 0)
            {
                continue;
            }

            byte[] buffer = new byte[4096];
            int got = _socket.Read(buffer);
            if (got <= 0)
            {
                return false;
            }

            _lines.Append(buffer.AsSpan(0, got));
            return true;
        }
    }

    /// <summary>Answers one request; true when the connection now belongs to a console.</summary>
    private bool Answer(byte[] line)
    {
        ApiRequest? request = null;
        try
        {
            request = JsonSerializer.Deserialize(line, ApiJson.Default.ApiRequest)
                ?? throw new JsonException("the request is empty");
            if (request.Api != XendClient.Version)
            {
                Refuse(request.Id, ApiErrorCode.BadVersion,
                    $"this xend speaks version {XendClient.Version} of its interface, not {request.Api}");
                return false;
            }

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
                    if (_methods.Call(request.Method, request.Params) is { } result)
                    {
                        Succeed(request.Id, result);
                    }
                    else
                    {
                        Refuse(request.Id, ApiErrorCode.UnknownMethod, $"there is no method '{request.Method}'");
                    }

                    return false;
            }
        }
        catch (Exception wrong) when (wrong is JsonException or FormatException)
        {
            Refuse(request?.Id ?? 0, ApiErrorCode.BadRequest, $"the request cannot be understood: {wrong.Message}");
            return false;
        }
        catch (ToolstackException failure)
        {
            Refuse(request?.Id ?? 0, ApiErrorCode.Failed, failure.Message, failure.Remedy);
            return false;
        }
        catch (Exception fault)
        {
            // A fault of this program: the request is lost, the daemon is not.
            _methods.Log($"{request?.Method} failed by a fault of xend: {fault}");
            Refuse(request?.Id ?? 0, ApiErrorCode.Failed, $"xend has a fault: {fault.GetType().Name}: {fault.Message}",
                "Look into its log (xm log)");
            return false;
        }
    }

    private bool AttachConsole(ApiRequest request)
    {
        ConsoleParameters wanted = ApiMethods.Parameters(request.Params, ApiJson.Default.ConsoleParameters);
        (Guid uuid, long position) = _methods.FindConsole(wanted);
        Succeed(request.Id, JsonSerializer.SerializeToElement(
            new ConsoleStart(uuid, position), ApiJson.Default.ConsoleStart));
        _methods.AttachConsole(uuid, _socket, position);
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

    private void Succeed(long id, JsonElement result) =>
        Send(new ApiResponse { Id = id, Result = result }, ApiJson.Default.ApiResponse);

    private void Refuse(long id, string code, string message, string? remedy = null) =>
        Send(new ApiResponse { Id = id, Error = new ApiError { Code = code, Message = message, Remedy = remedy } },
            ApiJson.Default.ApiResponse);

    private void Send<T>(T message, JsonTypeInfo<T> type)
    {
        int result = _socket.Write([.. JsonSerializer.SerializeToUtf8Bytes(message, type), (byte)'\n']);
        if (result < 0)
        {
            throw new ToolstackException($"the client is gone: {LibcErrno.Describe(-result)}");
        }
    }
}
