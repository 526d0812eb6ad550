// SPDX-License-Identifier: MIT
//
// Linux's privcmd driver passes hypercalls through and maps other domains' frames into this process.
//
// Arguments in memory are read by the hypervisor through this process's page tables, and it cannot fault a page in: a
// page that Linux swaps out or moves at that moment makes the call fail with EFAULT. Memory from /dev/xen/hypercall is
// exempt from both. Where that device does not exist, locked memory comes as close as user space can.
using System;
using System.Runtime.InteropServices;

namespace Dom0.Toolstack.Interop;

/// <summary>The hypervisor under this kernel.</summary>
public sealed unsafe class Privcmd : IHypercallChannel
{
    private const int PageSize = 4096;

    // _IOC(_IOC_NONE, 'P', number, size): direction 0, size in bits 16 and up, type 'P' = 0x50 (xen/sys/privcmd.h).
    private const uint HypercallRequest = ((uint)48 << 16) | (0x50 << 8) | 0;
    private const uint MapBatchRequest = ((uint)32 << 16) | (0x50 << 8) | 4;
    private const uint MapResourceRequest = ((uint)32 << 16) | (0x50 << 8) | 7;

    private readonly FileDescriptor _privcmd;
    private readonly FileDescriptor? _buffers;

    private Privcmd(FileDescriptor privcmd, FileDescriptor? buffers)
    {
        _privcmd = privcmd;
        _buffers = buffers;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct HypercallArguments
    {
        public ulong Number;
        public ulong First;
        public ulong Second;
        public ulong Third;
        public ulong Fourth;
        public ulong Fifth;
    }

    /// <summary><c>struct privcmd_mmapbatch_v2</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MapBatch
    {
        public uint Count;
        public ushort Domain;
        public ulong Address;
        public ulong* Frames;
        public int* Errors;
    }

    /// <summary><c>struct privcmd_mmap_resource</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct MapResourceArguments
    {
        public ushort Domain;
        public uint Type;
        public uint Id;
        public uint Index;
        public ulong Count;
        public ulong Address;
    }

    /// <summary>Opens the driver.</summary>
    /// <exception cref="ToolstackException">There is no hypervisor, or this user may not talk to it.</exception>
    public static Privcmd Open()
    {
        FileDescriptor? privcmd = FileDescriptor.Open("/dev/xen/privcmd", 0, out int errno);
        if (privcmd is null)
        {
            throw errno switch
            {
                LibcErrno.NoEntry or LibcErrno.NoDevice or 19 => new ToolstackException(
                    "cannot reach the hypervisor: /dev/xen/privcmd does not exist",
                    "Run xm in Domain-0, with the xen-privcmd module loaded (modprobe xen-privcmd)"),
                LibcErrno.NotPermitted or LibcErrno.AccessDenied => new ToolstackException(
                    "cannot reach the hypervisor: only root may open /dev/xen/privcmd", "Run xm as root"),
                _ => new ToolstackException(
                    $"cannot reach the hypervisor: opening /dev/xen/privcmd failed: {LibcErrno.Describe(errno)}"),
            };
        }

        return new Privcmd(privcmd, FileDescriptor.Open("/dev/xen/hypercall", 0, out _));
    }

    /// <inheritdoc/>
    public NativeRegion Allocate(int bytes)
    {
        int length = RoundUp(bytes);
        int protection = Libc.ProtectRead | Libc.ProtectWrite;
        nint address = _buffers is not null
            ? Libc.Map(0, (nuint)length, protection, Libc.MapShared, _buffers.Number, 0)
            : Libc.Map(0, (nuint)length, protection,
                Libc.MapPrivate | Libc.MapAnonymous | Libc.MapLocked | Libc.MapPopulate, -1, 0);
        if (address == -1)
        {
            throw new ToolstackException(
                $"no memory for a hypercall's arguments ({bytes} bytes): "
                    + $"{LibcErrno.Describe(Marshal.GetLastPInvokeError())}");
        }

        return new NativeRegion(address, length, Unmap);
    }

    /// <inheritdoc/>
    public int Call(ulong number, ulong first, ulong second, ulong third, ulong fourth, ulong fifth)
    {
        HypercallArguments arguments = new()
        {
            Number = number,
            First = first,
            Second = second,
            Third = third,
            Fourth = fourth,
            Fifth = fifth,
        };
        return _privcmd.Control(HypercallRequest, &arguments);
    }

    /// <inheritdoc/>
    public NativeRegion MapFrames(ushort domain, ReadOnlySpan<ulong> frames, bool isReadOnly)
    {
        NativeRegion region = ReserveAddresses(frames.Length, isReadOnly);
        int[] errors = new int[frames.Length];
        int result = MapInto(region, domain, frames, errors);
        int failed = Array.FindIndex(errors, error => error != 0);
        if (result >= 0 && failed < 0)
        {
            return region;
        }

        region.Dispose();
        throw failed >= 0
            ? new XenException(-errors[failed], "mmu_update (mapping a foreign frame)",
                $"frame {frames[failed]:x} of domain {domain}")
            : new XenException(-result, "IOCTL_PRIVCMD_MMAPBATCH_V2", $"domain {domain}");
    }

    /// <inheritdoc/>
    public NativeRegion MapForReading(ushort domain, ReadOnlySpan<ulong> frames, Span<int> errors)
    {
        NativeRegion region = ReserveAddresses(frames.Length, isReadOnly: true);
        int result = MapInto(region, domain, frames, errors);
        bool isExplained = errors.IndexOfAnyExcept(0) >= 0;
        if (result >= 0 || isExplained)
        {
            return region;
        }

        region.Dispose();
        throw new XenException(-result, "IOCTL_PRIVCMD_MMAPBATCH_V2", $"domain {domain}");
    }

    /// <inheritdoc/>
    public NativeRegion MapResource(ushort domain, uint type, uint id, uint index, int pages)
    {
        NativeRegion region = ReserveAddresses(pages, isReadOnly: false);
        MapResourceArguments arguments = new()
        {
            Domain = domain,
            Type = type,
            Id = id,
            Index = index,
            Count = (ulong)pages,
            Address = region.Address,
        };
        int result = _privcmd.Control(MapResourceRequest, &arguments);
        if (result >= 0)
        {
            return region;
        }

        region.Dispose();
        throw new XenException(-result, "memory_op acquire_resource", $"domain {domain}");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _buffers?.Dispose();
        _privcmd.Dispose();
    }

    private int MapInto(NativeRegion region, ushort domain, ReadOnlySpan<ulong> frames, Span<int> errors)
    {
        fixed (ulong* framePointer = frames)
        fixed (int* errorPointer = errors)
        {
            MapBatch batch = new()
            {
                Count = (uint)frames.Length,
                Domain = domain,
                Address = region.Address,
                Frames = framePointer,
                Errors = errorPointer,
            };
            return _privcmd.Control(MapBatchRequest, &batch);
        }
    }

    private static int RoundUp(int bytes) => (bytes + PageSize - 1) & -PageSize;

    private static void Unmap(nint address, int length) => _ = Libc.Unmap(address, (nuint)length);

    /// <summary>Addresses that belong to the driver, and that its ioctls then put frames under.</summary>
    private NativeRegion ReserveAddresses(int pages, bool isReadOnly)
    {
        int length = checked(pages * PageSize);
        int protection = isReadOnly ? Libc.ProtectRead : Libc.ProtectRead | Libc.ProtectWrite;
        nint address = Libc.Map(0, (nuint)length, protection, Libc.MapShared, _privcmd.Number, 0);
        return address != -1
            ? new NativeRegion(address, length, Unmap)
            : throw new ToolstackException(
                $"no addresses to map {pages} pages: {LibcErrno.Describe(Marshal.GetLastPInvokeError())}");
    }
}
