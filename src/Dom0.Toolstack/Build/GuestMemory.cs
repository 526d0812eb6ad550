// SPDX-License-Identifier: MIT
//
// Mapping another domain's frames costs a system call and a hypercall for each batch, and unmapping them a TLB flush.
// The builder writes mostly upwards, so one window of consecutive frames stays mapped and moves when a write leaves it.
using System;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Build;

/// <summary>The memory of a real domain under construction.</summary>
public sealed class GuestMemory : IGuestFrames, IDisposable
{
    private const int WindowFrames = 1024;
    private const int PageShift = 12;
    private const ulong PageMask = 4095;

    private readonly IHypercallChannel _channel;
    private readonly ushort _domain;
    private readonly ulong[] _machineFrames;
    private NativeRegion? _window;
    private ulong _windowStart;

    /// <summary>Writes to <paramref name="domain"/>, whose frame n is <paramref name="machineFrames"/>[n].</summary>
    public GuestMemory(IHypercallChannel channel, ushort domain, ulong[] machineFrames)
    {
        _channel = channel;
        _domain = domain;
        _machineFrames = machineFrames;
    }

    /// <inheritdoc/>
    public ulong MachineFrame(ulong guestFrame) => _machineFrames[guestFrame];

    /// <inheritdoc/>
    public ulong FrameCount => (ulong)_machineFrames.Length;

    /// <inheritdoc/>
    public void Write(ulong guestAddress, ReadOnlySpan<byte> data)
    {
        for (int done = 0; done < data.Length;)
        {
            Span<byte> target = At(guestAddress + (ulong)done);
            int count = Math.Min(target.Length, data.Length - done);
            data.Slice(done, count).CopyTo(target);
            done += count;
        }
    }

    /// <inheritdoc/>
    public void Clear(ulong guestAddress, ulong length)
    {
        for (ulong done = 0; done < length;)
        {
            Span<byte> target = At(guestAddress + done);
            int count = (int)Math.Min((ulong)target.Length, length - done);
            target[..count].Clear();
            done += (ulong)count;
        }
    }

    /// <summary>Unmaps everything: page tables cannot be pinned while somebody can write to them.</summary>
    public void Dispose()
    {
        _window?.Dispose();
        _window = null;
    }

    /// <summary>The mapped bytes from an address to the end of the window around it.</summary>
    private Span<byte> At(ulong guestAddress)
    {
        ulong frame = guestAddress >> PageShift;
        if (_window is null || frame < _windowStart || frame >= _windowStart + ((ulong)_window.Length >> PageShift))
        {
            Dispose();
            ulong count = Math.Min(WindowFrames, (ulong)_machineFrames.Length - frame);
            _window = _channel.MapFrames(_domain, _machineFrames.AsSpan((int)frame, (int)count));
            _windowStart = frame;
        }

        return _window.Bytes[(int)(((frame - _windowStart) << PageShift) | (guestAddress & PageMask))..];
    }
}
