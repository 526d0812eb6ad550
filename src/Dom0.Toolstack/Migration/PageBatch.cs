// SPDX-License-Identifier: MIT
using System;
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Dom0.Toolstack.Migration;

/// <summary>The body of a PAGE_DATA record that <see cref="Read"/> found well-formed.</summary>
internal readonly ref struct PageBatch
{
    private const int HeadSize = 8;

    private readonly ReadOnlySpan<byte> _frames;
    private readonly ReadOnlySpan<byte> _pages;

    private PageBatch(int count, ReadOnlySpan<byte> frames, ReadOnlySpan<byte> pages)
    {
        Count = count;
        _frames = frames;
        _pages = pages;
    }

    /// <summary>Frames that it names.</summary>
    public int Count { get; }

    /// <summary>Frames that it has contents for.</summary>
    public int Pages => _pages.Length / SaveFileLayout.PageSize;

    /// <summary>Bytes of a body with so many frames and pages.</summary>
    public static int SizeOf(int count, int pages) =>
        HeadSize + (count * sizeof(ulong)) + (pages * SaveFileLayout.PageSize);

    /// <summary>Writes the part before the pages; returns where these begin.</summary>
    public static int WriteHead(Span<byte> body, ReadOnlySpan<ulong> frames, ReadOnlySpan<byte> kinds)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(body, (uint)frames.Length);
        Span<ulong> entries = MemoryMarshal.Cast<byte, ulong>(body.Slice(HeadSize, frames.Length * sizeof(ulong)));
        for (int index = 0; index < frames.Length; index++)
        {
            entries[index] = frames[index] | ((ulong)kinds[index] << SaveFileLayout.PageTypeShift);
        }

        return HeadSize + (frames.Length * sizeof(ulong));
    }

    /// <summary>Takes a body apart; null with a reason if its parts do not fit.</summary>
    public static string? Read(ReadOnlySpan<byte> body, ulong frameLimit, out PageBatch batch)
    {
        batch = default;
        if (body.Length < HeadSize)
        {
            return $"it has {body.Length} bytes, too few for a count";
        }

        uint count = BinaryPrimitives.ReadUInt32LittleEndian(body);
        if (count == 0 || count > (uint)(body.Length - HeadSize) / sizeof(ulong))
        {
            return $"it says to name {count} frames, and has {body.Length} bytes";
        }

        PageBatch read = new((int)count, body.Slice(HeadSize, (int)count * sizeof(ulong)),
            body[(HeadSize + ((int)count * sizeof(ulong)))..]);
        int pages = 0;
        for (int index = 0; index < read.Count; index++)
        {
            byte kind = read.Kind(index);
            if (read.Frame(index) >= frameLimit)
            {
                return $"it names frame {read.Frame(index):x}, and the domain's frames end at {frameLimit:x}";
            }

            if (!PageKind.IsKnown(kind))
            {
                return $"frame {read.Frame(index):x} is of type {kind:x}, which does not exist";
            }

            if (kind == PageKind.Broken)
            {
                return $"frame {read.Frame(index):x} lay in broken memory; its contents are lost";
            }

            pages += PageKind.HasContents(kind) ? 1 : 0;
        }

        if (read._pages.Length != pages * SaveFileLayout.PageSize)
        {
            return $"it names {pages} pages with contents, and has {read._pages.Length} bytes of them";
        }

        batch = read;
        return null;
    }

    /// <summary>The guest frame at a place.</summary>
    public ulong Frame(int index) => Entry(index) & SaveFileLayout.PageFrameMask;

    /// <summary>What it is in use for.</summary>
    public byte Kind(int index) => (byte)(Entry(index) >> SaveFileLayout.PageTypeShift);

    /// <summary>The contents of the n-th page that has any.</summary>
    public ReadOnlySpan<byte> Page(int index) =>
        _pages.Slice(index * SaveFileLayout.PageSize, SaveFileLayout.PageSize);

    private ulong Entry(int index) => BinaryPrimitives.ReadUInt64LittleEndian(_frames[(index * sizeof(ulong))..]);
}
