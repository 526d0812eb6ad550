// SPDX-License-Identifier: MIT
// Locking: s_lock protects ring and switch; nothing else is taken while it is held, events are raised after its
// release.

using System;
using Xen.Abi;

namespace Hypervisor.Core.Console;

/// <summary>Bytes typed on the serial line, on their way to Domain-0 or to the debug keys.</summary>
public static unsafe class ConsoleInput
{
    private static InputRing s_ring;
    private static InputSwitch s_switch;
    private static SpinLock s_lock;

    /// <summary>Sends the input to the hypervisor's debug keys, or to Domain-0.</summary>
    public static void Direct(bool toHypervisor)
    {
        s_lock.Acquire();
        s_switch.Direct(toHypervisor);
        s_lock.Release();
    }

    /// <summary>Called by the serial driver for every byte received, in an interrupt or a poll.</summary>
    public static void Receive(byte value)
    {
        s_lock.Acquire();
        InputTarget target = s_switch.Route(value, out bool switched);
        bool isHypervisor = s_switch.IsHypervisor;
        bool wasEmpty = s_ring.Count == 0;
        bool kept = target == InputTarget.Domain0 && s_ring.TryPut(value);
        s_lock.Release();

        if (switched)
        {
            Announce(isHypervisor);
        }
        else if (target == InputTarget.Hypervisor)
        {
            DebugKeys.Type(value);
        }
        else if (kept && wasEmpty)
        {
            Events.VirtualIrq.RaiseGlobal((uint)VirtualIrq.Console);
        }
    }

    /// <summary>Copies waiting input to a guest buffer.</summary>
    /// <returns>EFAULT where it cannot be written, and the input stays.</returns>
    internal static HypercallResult Read(ulong buffer, uint count)
    {
        const uint ChunkSize = 128;
        byte* chunk = stackalloc byte[(int)ChunkSize];
        uint done = 0;
        while (done < count)
        {
            // The consumer is Domain-0 alone, one call at a time: what Peek showed, Take finds.
            s_lock.Acquire();
            uint wanted = count - done < ChunkSize ? count - done : ChunkSize;
            uint found = s_ring.Peek(chunk, wanted);
            bool copied = found != 0 && GuestMemory.Write(buffer + done, chunk, found);
            if (copied)
            {
                s_ring.Take(found);
            }

            s_lock.Release();
            if (!copied)
            {
                return found != 0 && done == 0 ? Errno.Fault : HypercallResult.Value((long)done);
            }

            done += found;
        }

        return HypercallResult.Value((long)done);
    }

    private static void Announce(bool isHypervisor)
    {
        ReadOnlySpan<byte> listener = isHypervisor ? "the hypervisor (h for help)"u8 : "Domain-0"u8;
        Log.Error("*** Serial input goes to "u8).Text(listener).Text(". Ctrl-a three times switches back."u8).End();
    }
}
