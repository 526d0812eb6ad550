// SPDX-License-Identifier: MIT
using System;
using System.Runtime.CompilerServices;

namespace Dom0.Toolstack.Interop;

/// <summary>
/// Memory outside the managed heap that somebody else sees too: an argument of a hypercall, or another domain's frames.
/// </summary>
public sealed unsafe class NativeRegion : IDisposable
{
    private readonly Action<nint, int> _release;
    private nint _address;

    /// <summary>Takes over <paramref name="length"/> bytes at <paramref name="address"/>.</summary>
    public NativeRegion(nint address, int length, Action<nint, int> release)
    {
        _address = address;
        _release = release;
        Length = length;
    }

    /// <summary>Size in bytes.</summary>
    public int Length { get; }

    /// <summary>Where it lies in this process: what a hypercall's argument says.</summary>
    public ulong Address => _address != 0 ? (ulong)_address : throw new ObjectDisposedException(nameof(NativeRegion));

    /// <summary>The bytes.</summary>
    public Span<byte> Bytes => new((void*)Address, Length);

    /// <summary>The memory as an array of <typeparamref name="T"/>.</summary>
    public Span<T> As<T>()
        where T : unmanaged => new((void*)Address, Length / Unsafe.SizeOf<T>());

    /// <summary>The first bytes as one <typeparamref name="T"/>.</summary>
    public ref T Value<T>()
        where T : unmanaged => ref As<T>()[0];

    /// <summary>The 4 KiB page with the given index.</summary>
    public Span<byte> Page(int index) => Bytes.Slice(index * 4096, 4096);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_address != 0)
        {
            _release(_address, Length);
            _address = 0;
        }
    }
}
