// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Interop;

namespace Dom0.Store.Machine;

/// <summary>Pages that other domains grant: <c>/dev/xen/gntdev</c>.</summary>
internal sealed unsafe class GrantDevice : IDisposable
{
    // _IOC(_IOC_NONE, 'G', number, size) of xen/sys/gntdev.h.
    private const uint MapRequest = (24 << 16) | (0x47 << 8) | 0;
    private const uint UnmapRequest = (16 << 16) | (0x47 << 8) | 1;
    private const int PageSize = 4096;

    private readonly FileDescriptor _device;

    private GrantDevice(FileDescriptor device) => _device = device;

    /// <summary>Opens the driver; null where there is none.</summary>
    public static GrantDevice? TryOpen() =>
        FileDescriptor.Open("/dev/xen/gntdev", 0, out _) is { } device ? new GrantDevice(device) : null;

    /// <summary>Maps a granted page; null when that is refused.</summary>
    public NativeRegion? TryMap(ushort domain, uint reference)
    {
        // struct ioctl_gntdev_map_grant_ref: count and padding, index out, domain and reference.
        uint* map = stackalloc uint[6] { 1, 0, 0, 0, domain, reference };
        if (_device.Control(MapRequest, map) < 0)
        {
            return null;
        }

        ulong index = *(ulong*)(map + 2);
        nint address = Libc.Map(
            0, PageSize, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapShared, _device.Number, (nint)index);
        if (address == -1)
        {
            Release(index);
            return null;
        }

        return new NativeRegion(address, PageSize, (mapped, length) =>
        {
            _ = Libc.Unmap(mapped, (nuint)length);
            Release(index);
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private void Release(ulong index)
    {
        // struct ioctl_gntdev_unmap_grant_ref: index, count and padding.
        ulong* unmap = stackalloc ulong[2] { index, 1 };
        _ = _device.Control(UnmapRequest, unmap);
    }
}
