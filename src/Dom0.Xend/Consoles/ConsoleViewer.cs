// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Interop;

namespace Dom0.Xend.Consoles;

/// <summary>Somebody who watches a console, and may type.</summary>
internal abstract class ConsoleViewer : IDisposable
{
    /// <summary>Position in the stream of the next byte to be given.</summary>
    public long Position { get; set; }

    /// <summary>Does it stay when the domain stops?</summary>
    public abstract bool IsPermanent { get; }

    /// <summary>What to poll.</summary>
    public abstract int Descriptor { get; }

    /// <summary>Takes as many bytes as go without waiting; negative when it is broken.</summary>
    public abstract int Write(ReadOnlySpan<byte> data);

    /// <summary>Reads what was typed; 0 when there is nothing, negative when it is broken or closed.</summary>
    public abstract int Read(Span<byte> buffer);

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A viewer at the other end of a descriptor.</summary>
internal sealed class StreamViewer : ConsoleViewer
{
    private readonly FileDescriptor _stream;
    private readonly IDisposable _owner;

    /// <summary>Watches over a connection, which it then owns.</summary>
    public StreamViewer(FileDescriptor connection)
    {
        _stream = connection;
        _owner = connection;
        connection.SetNonBlocking();
    }

    /// <summary>Watches over a terminal that others open, such as <c>xl console</c>.</summary>
    public StreamViewer(PseudoTerminal terminal)
    {
        _stream = terminal.Controller;
        _owner = terminal;
        IsPermanent = true;
    }

    /// <inheritdoc/>
    public override bool IsPermanent { get; }

    /// <inheritdoc/>
    public override int Descriptor => _stream.Number;

    /// <inheritdoc/>
    public override int Write(ReadOnlySpan<byte> data)
    {
        int count = _stream.WriteSome(data);
        return count is -LibcErrno.TryAgain or -LibcErrno.Interrupted ? 0 : count;
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int count = _stream.Read(buffer);
        return count is -LibcErrno.TryAgain ? 0 : count == 0 ? -1 : count;
    }

    /// <inheritdoc/>
    public override void Dispose() => _owner.Dispose();
}
