// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Interop;
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>
/// Makes hypercalls whose argument is one structure. The structure lies in a page of its own that all calls share, so a
/// gate serves one thread.
/// </summary>
internal sealed class HypercallGate : IDisposable
{
    private readonly NativeRegion _scratch;

    public HypercallGate(IHypercallChannel channel)
    {
        Channel = channel;
        _scratch = channel.Allocate(4096);
    }

    /// <summary>The way to the hypervisor.</summary>
    public IHypercallChannel Channel { get; }

    /// <summary>Where the structure lies while a call is made.</summary>
    public ulong Address => _scratch.Address;

    /// <summary>Clears the shared page and hands it out as one <typeparamref name="T"/>.</summary>
    public ref T Prepare<T>()
        where T : unmanaged
    {
        _scratch.Bytes.Clear();
        return ref _scratch.Value<T>();
    }

    /// <summary>The structure that was prepared last.</summary>
    public ref T Current<T>()
        where T : unmanaged => ref _scratch.Value<T>();

    /// <summary>Calls with the structure as the only argument.</summary>
    public int Call(HypercallNumber number) => Channel.Call((ulong)number, Address);

    /// <summary>Calls with a sub-operation and the structure.</summary>
    public int Call(HypercallNumber number, uint command) => Channel.Call((ulong)number, command, Address);

    /// <summary>A negative result becomes the error that names the operation.</summary>
    public static int Check(int result, string operation, string? detail = null) =>
        result >= 0 ? result : throw new XenException(-result, operation, detail);

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();
}
