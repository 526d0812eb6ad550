// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;
using Dom0.Store.Machine;
using Dom0.Store.Quotas;
using Dom0.Store.Tree;
using Dom0.Toolstack.Interop;

namespace Dom0.Store.Connections;

/// <summary>A connection by a unix socket: a program of Domain-0.</summary>
internal sealed unsafe class SocketChannel : IStoreChannel
{
    private readonly StoreServer _server;
    private readonly byte[] _received = new byte[8192];
    private int _start;
    private int _end;
    private bool _mayHoldMore;

    /// <summary>Takes over a socket that does not block.</summary>
    public SocketChannel(StoreServer server, int descriptor, bool isReadOnly)
    {
        _server = server;
        Descriptor = descriptor;
        Connection = new StoreConnection(new DomainIdentity(0), isDurable: false, isReadOnly) { Channel = this };
    }

    /// <summary>The kernel's number for the socket.</summary>
    public int Descriptor { get; }

    /// <summary>What is said by it.</summary>
    public StoreConnection Connection { get; }

    /// <summary>The other end is gone, or said what makes no sense.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Bytes are here that no request was made of yet.</summary>
    public bool HasMore => _start != _end && MayServe;

    /// <summary>What <c>poll</c> should wait for.</summary>
    public short Interest => (short)((MayServe ? Libc.PollIn : 0) | (Connection.Output.IsEmpty ? 0 : StoreLibc.PollOut));

    private bool MayServe => Connection.Output.Answers < _server.State.Quotas[QuotaKind.Outstanding];

    /// <summary>Reads what there is and answers it, at most <paramref name="budget"/> requests.</summary>
    public void Serve(int budget)
    {
        InputAssembler input = Connection.Input;
        _mayHoldMore = true;
        while (!IsOver && MayServe)
        {
            if (_start == _end && !(_mayHoldMore && Receive()))
            {
                return;
            }

            int count = Math.Min(_end - _start, input.Missing);
            _received.AsSpan(_start, count).CopyTo(input.Room);
            input.Added(count);
            _start += count;
            if (input.IsTooLong)
            {
                IsOver = true;
            }
            else if (input.IsComplete)
            {
                _server.Serve(Connection);
                if (--budget == 0)
                {
                    return;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Pump()
    {
        while (!IsOver && !Connection.Output.IsEmpty)
        {
            ReadOnlySpan<byte> front = Connection.Output.Front.Span;
            fixed (byte* pointer = front)
            {
                nint sent = StoreLibc.Send(Descriptor, pointer, (nuint)front.Length, StoreLibc.NoSignal);
                if (sent > 0)
                {
                    Connection.Output.Advance((int)sent);
                    continue;
                }
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno == LibcErrno.TryAgain)
            {
                return;
            }

            IsOver = errno != LibcErrno.Interrupted;
        }
    }

    /// <summary>Closes the socket.</summary>
    public void Close() => _ = Libc.Close(Descriptor);

    private bool Receive()
    {
        (_start, _end) = (0, 0);
        fixed (byte* pointer = _received)
        {
            nint count = Libc.Read(Descriptor, pointer, (nuint)_received.Length);
            if (count > 0)
            {
                _end = (int)count;
                // Less than there is room for was all that there is; poll tells of what comes later.
                _mayHoldMore = _end == _received.Length;
                return true;
            }

            IsOver = count == 0 || Marshal.GetLastPInvokeError() is not (LibcErrno.TryAgain or LibcErrno.Interrupted);
            return false;
        }
    }
}
