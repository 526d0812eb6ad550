// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Toolstack.Store;

/// <summary>A stream of bytes to and from a store's daemon.</summary>
public interface IStoreTransport : IDisposable
{
    /// <summary>Sends all of it.</summary>
    void Send(ReadOnlySpan<byte> data);

    /// <summary>Fills the whole buffer.</summary>
    void Receive(Span<byte> buffer);

    /// <summary>Waits for bytes to arrive; false when the time is up first.</summary>
    bool WaitForInput(int milliseconds);
}
