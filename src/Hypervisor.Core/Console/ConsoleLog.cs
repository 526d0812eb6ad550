// SPDX-License-Identifier: MIT
// Locking: s_lock protects the ring and nests inside nothing but the consoles' own lock; AppendUnlocked is for the
// dying machine.

using Xen.Abi;

namespace Hypervisor.Core.Console;

/// <summary>The machine's log ring, and the body of XEN_SYSCTL_readconsole.</summary>
public static unsafe class ConsoleLog
{
    /// <summary>Text travels to the reader's buffer through the stack in pieces of this size.</summary>
    private const uint ChunkSize = 256;

    /// <summary>16 MiB.</summary>
    private const int LargestOrder = 12;

    private static ConsoleRing s_ring;
    private static SpinLock s_lock;
    private static bool s_hasNews;
    private static bool s_isReplaying;
    private static uint s_replayed;
    private static uint s_replayEnd;

    public static void Append(byte* text, int length)
    {
        s_lock.Acquire();
        AppendUnlocked(text, length);
        s_lock.Release();
    }

    public static void AppendUnlocked(byte* text, int length)
    {
        s_hasNews = true;
        fixed (ConsoleRing* ring = &s_ring)
        {
            ring->Append(text, length);
        }
    }

    /// <summary>Makes room for <paramref name="bytes"/> of text, rounded up to a power of two; 0 leaves it as it is. At
    /// boot.</summary>
    public static void Grow(ulong bytes)
    {
        if (bytes == 0)
        {
            return;
        }

        int order = 0;
        while (order < LargestOrder && MemoryLayout.PageSize << order < bytes)
        {
            order++;
        }

        byte* place = (byte*)Mmu.PageAllocator.AllocatePages(order);
        if (place == null)
        {
            Log.Warning("no memory for a log of "u8).Decimal(bytes).Text(" bytes (conring_size), it stays small"u8).End();
            return;
        }

        s_lock.Acquire();
        fixed (ConsoleRing* ring = &s_ring)
        {
            ring->Move(place, (uint)(MemoryLayout.PageSize << order));
        }

        s_lock.Release();
    }

    /// <summary>Something was said since the last call.</summary>
    public static bool TakeNews()
    {
        s_lock.Acquire();
        bool hasNews = s_hasNews;
        s_hasNews = false;
        s_lock.Release();
        return hasNews;
    }

    /// <summary>Sends the text kept to the consoles once more, as fast as they take it.</summary>
    public static void Replay()
    {
        s_lock.Acquire();
        s_replayed = s_ring.Beginning;
        s_replayEnd = s_ring.Beginning + s_ring.Available;
        s_isReplaying = true;
        s_lock.Release();
        ContinueReplay();
    }

    /// <summary>Sends the next part, if there is any and the lines have room.</summary>
    public static void ContinueReplay()
    {
        byte* chunk = stackalloc byte[(int)ChunkSize];
        while (s_isReplaying && Machine.ConsoleRoom() >= 2 * ChunkSize)
        {
            s_lock.Acquire();
            uint rest = s_replayEnd - s_replayed;
            uint count = 0;
            fixed (ConsoleRing* ring = &s_ring)
            {
                count = ring->Read(ref s_replayed, chunk, rest < ChunkSize ? rest : ChunkSize);
            }

            s_isReplaying = count != 0 && (int)(s_replayEnd - s_replayed) > 0;
            s_lock.Release();
            WriteLines(chunk, count);
        }
    }

    /// <summary>Terminals want a carriage return before each new line.</summary>
    private static void WriteLines(byte* text, uint length)
    {
        byte newLine = (byte)'\r';
        uint start = 0;
        for (uint i = 0; i < length; i++)
        {
            if (text[i] == '\n')
            {
                Machine.WriteConsoleVerbatim(text + start, (int)(i - start));
                Machine.WriteConsoleVerbatim(&newLine, 1);
                start = i;
            }
        }

        Machine.WriteConsoleVerbatim(text + start, (int)(length - start));
    }

    /// <summary>Copies the log to the caller's buffer, changing <paramref name="operation"/> as the interface
    /// says.</summary>
    /// <returns>EFAULT where the buffer cannot be written; what had been copied by then stays unread.</returns>
    public static Errno Read(SysCtlReadConsole* operation)
    {
        byte* chunk = stackalloc byte[(int)ChunkSize];
        fixed (ConsoleRing* ring = &s_ring)
        {
            uint index = operation->Incremental != 0 ? operation->Index : ring->Beginning;
            uint written = 0;
            while (written < operation->Count)
            {
                uint room = operation->Count - written;
                s_lock.Acquire();
                uint count = ring->Read(ref index, chunk, room < ChunkSize ? room : ChunkSize);
                s_lock.Release();
                if (count == 0)
                {
                    break;
                }

                if (!GuestMemory.Write(operation->Buffer + written, chunk, count))
                {
                    return Errno.Fault;
                }

                written += count;
            }

            if (operation->Clear != 0)
            {
                s_lock.Acquire();
                ring->Clear(index);
                s_lock.Release();
            }

            operation->Index = index;
            operation->Count = written;
        }

        return Errno.Ok;
    }
}
