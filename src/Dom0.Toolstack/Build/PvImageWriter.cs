// SPDX-License-Identifier: MIT
using System;
using System.Runtime.InteropServices;

namespace Dom0.Toolstack.Build;

/// <summary>Fills a new guest's memory according to its layout.</summary>
public static class PvImageWriter
{
    private const ulong PageSize = 4096;
    private const int P2mChunk = 64 * 1024;

    /// <summary>
    /// Writes kernel, ramdisk, P2M list, page tables and start_info, and clears the pages that must be empty.
    /// </summary>
    public static void Write(
        IGuestFrames memory, PvKernel kernel, PvLayout layout, ReadOnlySpan<byte> ramdisk, StartParameters parameters)
    {
        WriteKernel(memory, kernel);
        WriteRamdisk(memory, layout, ramdisk);
        WriteP2m(memory, layout);
        memory.Clear(layout.StartInfoFrame * PageSize, PageSize);
        memory.Write(layout.StartInfoFrame * PageSize, StartInfoWriter.Create(layout, memory, parameters));
        memory.Clear(layout.StoreFrame * PageSize, PageSize);
        memory.Clear(layout.ConsoleFrame * PageSize, PageSize);
        memory.Clear(layout.StackFrame * PageSize, PageSize);
        PageTableWriter.Write(memory, layout.Areas, layout.IsTable);
    }

    private static void WriteKernel(IGuestFrames memory, PvKernel kernel)
    {
        foreach (PvSegment segment in kernel.Segments)
        {
            memory.Write(segment.GuestAddress, kernel.File.Span.Slice((int)segment.FileOffset, (int)segment.FileSize));
            memory.Clear(segment.GuestAddress + segment.FileSize, segment.MemorySize - segment.FileSize);
        }
    }

    private static void WriteRamdisk(IGuestFrames memory, PvLayout layout, ReadOnlySpan<byte> ramdisk)
    {
        if (layout.RamdiskPages > 0)
        {
            memory.Write(layout.RamdiskFrame * PageSize, ramdisk);
            memory.Clear((layout.RamdiskFrame * PageSize) + (ulong)ramdisk.Length,
                (layout.RamdiskPages * PageSize) - (ulong)ramdisk.Length);
        }
    }

    private static void WriteP2m(IGuestFrames memory, PvLayout layout)
    {
        ulong[] chunk = new ulong[P2mChunk];
        for (ulong first = 0; first < memory.FrameCount; first += P2mChunk)
        {
            int count = (int)Math.Min(P2mChunk, memory.FrameCount - first);
            for (int index = 0; index < count; index++)
            {
                chunk[index] = memory.MachineFrame(first + (ulong)index);
            }

            memory.Write((layout.P2mFrame * PageSize) + (first * sizeof(ulong)),
                MemoryMarshal.AsBytes(chunk.AsSpan(0, count)));
        }
    }
}
