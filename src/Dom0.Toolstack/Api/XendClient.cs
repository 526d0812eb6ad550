// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dom0.Toolstack.Console;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Api;

/// <summary>A client of xend: one request at a time.</summary>
public sealed class XendClient : IDisposable
{
    /// <summary>The version of the interface that this client means.</summary>
    public const int Version = 1;

    /// <summary>The daemon's socket.</summary>
    public const string Path = "/run/xend/api";

    private const int LineLimit = 4 * 1024 * 1024;

    private readonly FileDescriptor _socket;
    private readonly LineReader _lines = new(LineLimit);
    private readonly Queue<DomainEvent> _events = new();
    private long _request;

    private XendClient(FileDescriptor socket) => _socket = socket;

    /// <summary>How long an answer may take; without limit unless told.</summary>
    public int Patience { get; set; } = -1;

    /// <summary>Connects to the daemon; null when none runs.</summary>
    /// <exception cref="ToolstackException">One runs and cannot be spoken with.</exception>
    public static XendClient? TryConnect(string path = Path)
    {
        FileDescriptor? socket = FileDescriptor.Connect(path, out int errno);
        if (socket is null)
        {
            return errno is LibcErrno.NoEntry or LibcErrno.ConnectionRefused or LibcErrno.NotDirectory
                ? null
                : throw new ToolstackException($"cannot reach xend at {path}: {LibcErrno.Describe(errno)}",
                    "Run xm as root");
        }

        XendClient client = new(socket);
        try
        {
            ApiGreeting greeting = Parse(client.ReadLine(), ApiJson.Default.ApiGreeting);
            return greeting.Service == "xend" && greeting.OldestApi <= Version && Version <= greeting.Api
                ? client
                : throw new ToolstackException(
                    $"xend speaks versions {greeting.OldestApi} to {greeting.Api} of its interface, and this program "
                        + $"{Version}",
                    "Restart xend, so that both are of one release");
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Makes a request and waits for its result; <paramref name="progress"/> is told how far it is.</summary>
    /// <exception cref="ToolstackException">It failed; the sentence is the daemon's.</exception>
    public TResult Call<TParameters, TResult>(
        string method, TParameters parameters, JsonTypeInfo<TParameters> type, JsonTypeInfo<TResult> resultType,
        Action<StepProgress>? progress = null)
    {
        JsonElement result = Call(method, JsonSerializer.SerializeToElement(parameters, type), progress);
        return result.Deserialize(resultType)
            ?? throw new ToolstackException($"xend answered {method} without a result");
    }

    /// <summary>Makes a request without parameters and waits for its result.</summary>
    public TResult Call<TResult>(string method, JsonTypeInfo<TResult> resultType) =>
        Call(method, null, null).Deserialize(resultType)
            ?? throw new ToolstackException($"xend answered {method} without a result");

    /// <summary>The next event, after <c>events.subscribe</c>; null when none comes in time.</summary>
    /// <exception cref="ToolstackException">The connection is gone.</exception>
    public DomainEvent? WaitForEvent(int milliseconds)
    {
        long deadline = milliseconds < 0 ? long.MaxValue : Environment.TickCount64 + milliseconds;
        while (true)
        {
            if (_events.TryDequeue(out DomainEvent? earlier))
            {
                return earlier;
            }

            if (_lines.TakeLine() is { } line)
            {
                return Parse(line, ApiJson.Default.ApiEventLine).Event;
            }

            int left = (int)Math.Clamp(deadline - Environment.TickCount64, 0, int.MaxValue);
            if (!_socket.WaitForInput(left))
            {
                return null;
            }

            Fill();
        }
    }

    /// <summary>
    /// Attaches to a console; afterwards the connection is the console's stream, and the client is used up.
    /// </summary>
    public ConsoleClient Attach(string domain, long? since, out ConsoleStart start)
    {
        start = Call("console.attach", new ConsoleParameters(domain, since), ApiJson.Default.ConsoleParameters,
            ApiJson.Default.ConsoleStart);
        return ConsoleClient.Over(_socket, _lines.TakeRest());
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private JsonElement Call(string method, JsonElement? parameters, Action<StepProgress>? progress)
    {
        ApiRequest request = new()
        {
            Id = ++_request,
            Api = Version,
            Method = method,
            Params = parameters,
            Progress = progress is null ? null : true,
        };
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(request, ApiJson.Default.ApiRequest), (byte)'\n'];
        int result = _socket.Write(line);
        if (result < 0)
        {
            throw Broken(-result);
        }

        while (true)
        {
            ApiMessage message = Parse(ReadLine(), ApiJson.Default.ApiMessage);
            if (message.Id == request.Id)
            {
                return message.Error is { } error
                    ? throw new ToolstackException(error.Message, error.Remedy)
                    : message.Result
                        ?? throw new ToolstackException($"xend answered {method} with neither result nor error");
            }

            if (message.Event is { } happened)
            {
                _events.Enqueue(happened);
            }
            else if (message.Progress is { } step)
            {
                progress?.Invoke(new StepProgress(step.Step, step.Done, step.Total));
            }
        }
    }

    private byte[] ReadLine()
    {
        while (true)
        {
            if (_lines.TakeLine() is { } line)
            {
                return line;
            }

            if (_lines.IsTooLong)
            {
                throw new ToolstackException("xend sent a line without end");
            }

            Fill();
        }
    }

    private void Fill()
    {
        if (!_socket.WaitForInput(Patience))
        {
            throw new ToolstackException($"xend has not answered within {Patience / 1000} seconds",
                "Look into its log (xm log), and see 'xend status'");
        }

        Span<byte> buffer = stackalloc byte[4096];
        int count = _socket.Read(buffer);
        if (count <= 0)
        {
            throw Broken(-count);
        }

        _lines.Append(buffer[..count]);
    }

    private static XendDisconnectedException Broken(int errno) => new(
        errno == 0 ? "xend closed the connection" : $"the connection to xend broke: {LibcErrno.Describe(errno)}",
        wasConnected: true);

    [return: NotNull]
    private static T Parse<T>(byte[] line, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(line, type) ?? throw new ToolstackException("xend sent an empty message");
        }
        catch (JsonException wrong)
        {
            throw new ToolstackException($"xend sent something that is no message of its interface: {wrong.Message}");
        }
    }
}
