// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using System;
using System.Runtime.InteropServices;

/// <summary>
/// Memory between two pages that may not be touched, flush with one of them: an access that leaves the buffer on that
/// side ends the test process, so nothing can go unnoticed.
/// </summary>
internal sealed unsafe partial class GuardedBuffer : IDisposable
{
    private const nuint PageSize = 4096;
    private const int ProtectNone = 0;
    private const int ProtectReadWrite = 3;
    private const int MapPrivateAnonymous = 0x22;

    private readonly byte* _mapping;
    private readonly nuint _mappingSize;

    public GuardedBuffer(nuint size, bool guardStart = false)
    {
        nuint body = (size + PageSize - 1) & ~(PageSize - 1);
        _mappingSize = body + (2 * PageSize);
        _mapping = MapMemory(null, _mappingSize, ProtectNone, MapPrivateAnonymous, -1, 0);
        if ((nint)_mapping == -1 || (body != 0 && ProtectMemory(_mapping + PageSize, body, ProtectReadWrite) != 0))
        {
            throw new InvalidOperationException("no guarded memory");
        }

        Size = size;
        Start = _mapping + PageSize + (guardStart ? 0 : body - size);
    }

    public GuardedBuffer(ReadOnlySpan<byte> content, bool guardStart = false)
        : this((nuint)content.Length, guardStart)
    {
        content.CopyTo(Span);
    }

    public byte* Start { get; }

    public nuint Size { get; }

    public Span<byte> Span => new(Start, (int)Size);

    public void Dispose() => _ = UnmapMemory(_mapping, _mappingSize);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial byte* MapMemory(
        byte* address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int ProtectMemory(byte* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int UnmapMemory(byte* address, nuint length);
}
