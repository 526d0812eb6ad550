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

    private static ConsoleRing s_ring;
    private static SpinLock s_lock;

    public static void Append(byte* text, int length)
    {
        s_lock.Acquire();
        AppendUnlocked(text, length);
        s_lock.Release();
    }

    public static void AppendUnlocked(byte* text, int length)
    {
        fixed (ConsoleRing* ring = &s_ring)
        {
            ring->Append(text, length);
        }
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
