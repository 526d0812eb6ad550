// SPDX-License-Identifier: MIT
using System;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dom0.Toolstack;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Interop;

namespace Dom0.Xend.Api;

/// <summary>One client of a process: reads its requests, one line each, and answers them in their order.</summary>
internal abstract unsafe class RequestConnection
{
    private const int LineLimit = 1024 * 1024;

    private readonly Action<string> _log;
    private readonly LineReader _lines = new(LineLimit);

    /// <summary>Serves a connection, which it then owns.</summary>
    protected RequestConnection(FileDescriptor socket, Action<string> log)
    {
        Socket = socket;
        _log = log;
    }

    /// <summary>The connection.</summary>
    protected FileDescriptor Socket { get; }

    /// <summary>Becomes readable when <see cref="Woken"/> is wanted; -1 for never.</summary>
    protected virtual int WakeDescriptor => -1;

    /// <summary>Serves until the client leaves, or the connection is handed over.</summary>
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
            Ended();
            if (!isHandedOver)
            {
                Socket.Dispose();
            }
        }
    }

    /// <summary>Answers a request, whose form is right; true when the connection now belongs to somebody else.</summary>
    protected abstract bool Handle(ApiRequest request);

    /// <summary>Something other than a request is to be sent.</summary>
    protected virtual void Woken()
    {
    }

    /// <summary>The connection has ended.</summary>
    protected virtual void Ended()
    {
    }

    /// <summary>Sends a result.</summary>
    protected void Succeed(long id, JsonElement result) =>
        Send(new ApiResponse { Id = id, Result = result }, ApiJson.Default.ApiResponse);

    /// <summary>Says that there is no such method.</summary>
    protected void RefuseMethod(ApiRequest request) =>
        Refuse(request.Id, ApiErrorCode.UnknownMethod, $"there is no method '{request.Method}'");

    /// <summary>Sends a message.</summary>
    protected void Send<T>(T message, JsonTypeInfo<T> type)
    {
        int result = Socket.Write([.. JsonSerializer.SerializeToUtf8Bytes(message, type), (byte)'\n']);
        if (result < 0)
        {
            throw new ToolstackException($"the client is gone: {LibcErrno.Describe(-result)}");
        }
    }

    /// <summary>Waits for bytes of the client; false when it has left.</summary>
    private bool Fill()
    {
        Libc.PollEntry* entries = stackalloc Libc.PollEntry[2];
        byte[] buffer = new byte[4096];
        while (true)
        {
            entries[0] = new() { Descriptor = Socket.Number, Events = Libc.PollIn };
            entries[1] = new() { Descriptor = WakeDescriptor, Events = Libc.PollIn };
            _ = Libc.Poll(entries, 2, -1);
            if (entries[1].Returned != 0)
            {
                Woken();
            }

            if (entries[0].Returned == 0)
            {
                continue;
            }

            int got = Socket.Read(buffer);
            if (got <= 0)
            {
                return false;
            }

            _lines.Append(buffer.AsSpan(0, got));
            return true;
        }
    }

    /// <summary>Answers one request; true when the connection now belongs to somebody else.</summary>
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

            return Handle(request);
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
            _log($"{request?.Method} failed by a fault of xend: {fault}");
            Refuse(request?.Id ?? 0, ApiErrorCode.Failed, $"xend has a fault: {fault.GetType().Name}: {fault.Message}",
                "Look into its log (xm log)");
            return false;
        }
    }

    private void Refuse(long id, string code, string message, string? remedy = null) =>
        Send(new ApiResponse { Id = id, Error = new ApiError { Code = code, Message = message, Remedy = remedy } },
            ApiJson.Default.ApiResponse);
}
