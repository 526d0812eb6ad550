// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;

namespace Hypervisor.Core.Tests.Emulation;

/// <summary>One page of memory that is followed by an inaccessible one, so that a read beyond it ends the test
/// run.</summary>
internal sealed unsafe class GuardedPage : IDisposable
{
    public const int Size = 4096;

    private const int ProtectNone = 0;
    private const int ProtectAll = 7;
    private const int MapPrivateAnonymous = 0x22;

    private readonly IntPtr _start;

    public GuardedPage()
    {
        _start = Map(IntPtr.Zero, 2 * Size, ProtectAll, MapPrivateAnonymous, -1, IntPtr.Zero);
        if (_start == -1 || Protect(_start + Size, Size, ProtectNone) != 0)
        {
            throw new InvalidOperationException("no memory for a guarded page");
        }
    }

    public byte* Start => (byte*)_start;

    /// <summary>Puts the bytes at the very end of the page.</summary>
    public byte* PlaceAtEnd(ReadOnlySpan<byte> bytes)
    {
        byte* place = Start + Size - bytes.Length;
        bytes.CopyTo(new Span<byte>(place, bytes.Length));
        return place;
    }

    public void Dispose() => _ = Unmap(_start, 2 * Size);

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern IntPtr Map(IntPtr address, nint length, int protection, int flags, int file, IntPtr offset);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Protect(IntPtr address, nint length, int protection);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Unmap(IntPtr address, nint length);
}
