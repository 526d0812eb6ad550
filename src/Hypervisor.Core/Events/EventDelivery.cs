// SPDX-License-Identifier: MIT
// How an event reaches a vCPU by the two-level interface; the other one is in FifoDelivery.cs. Three bits on the way up, each set by whoever finds it clear:
//
//   pending[port]      in shared_info; set whether the port is masked or not
//   selector[port/64]  in the vcpu_info of the vCPU that the port notifies, unless the port is masked
//   upcall pending     in the same vcpu_info; the way back to the guest looks at it
//
// The guest goes down the same way: it clears upcall pending, takes the selector, then takes pending bits. A bit
// found set means that whoever set it has done, or is about to do, the rest. Each step is a locked instruction: the
// mask is looked at after pending is visible, as a guest that unmasks looks at pending after the mask is clear; and
// whether the vCPU has blocked is looked at after upcall pending is visible (VcpuScheduling.Kick), as a vCPU that
// blocks looks at upcall pending last.
//
// The record may move meanwhile (VCPUOP_register_vcpu_info). Who has marked a record looks whether it is still the
// vCPU's; if not, it marks the new one. If it was, then the mover's own marking of everything (AfterInfoMoved) is
// yet to come.

using System.Runtime.CompilerServices;
using System.Threading;
using Hypervisor.Core.Scheduling;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>Pending bits, masks and upcalls.</summary>
public static unsafe class EventDelivery
{
    private const int UpcallPendingBit = 0;

    /// <summary>The port has an event; <paramref name="target"/> is told unless the port is masked.</summary>
    /// <remarks>Precondition: the port has an entry; the target is the vCPU that it notifies.</remarks>
    public static void SetPending(Vcpu* target, uint port)
    {
        Domain* domain = target->Domain;
        if (domain->Events.Fifo != null)
        {
            FifoDelivery.SetPending(domain, EventPorts.At(domain, port), port);
        }
        else if (!Machine.TestAndSetBit(domain->SharedInfo->EventChannelPending, port))
        {
            Tell(domain, target, port);
        }
    }

    /// <summary>The port has an event; the vCPU that it notifies may not have been made yet.</summary>
    internal static void SetPending(Domain* domain, EventChannel* channel, uint port)
    {
        if (domain->Events.Fifo != null)
        {
            FifoDelivery.SetPending(domain, channel, port);
            return;
        }

        port = Shown(port);
        if (!Machine.TestAndSetBit(domain->SharedInfo->EventChannelPending, port))
        {
            Tell(domain, channel, port);
        }
    }

    /// <summary>The port has become pending: does what follows from that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Tell(Domain* domain, EventChannel* channel, uint port)
    {
        // Every number in the field has been checked.
        Vcpu* target = (Vcpu*)domain->VcpuPointers[channel->NotifyVcpu];
        if (target != null)
        {
            Tell(domain, target, port);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool HasPollers(Domain* domain) =>
        (Volatile.Read(ref domain->Events.Pollers[0]) | Volatile.Read(ref domain->Events.Pollers[1])) != 0;

    /// <summary>A physical interrupt that the domain has bound has come; without a port it is lost.</summary>
    public static void RaisePirq(Domain* domain, uint pirq)
    {
        domain->Events.Lock.Acquire();
        uint port = PirqHooks.PortOf(domain, pirq);
        if (port != 0)
        {
            SetPending(domain, EventPorts.At(domain, port), port);
        }

        domain->Events.Lock.Release();
    }

    /// <summary>The guest no longer masks the port: what is pending is told now.</summary>
    internal static void Unmask(Domain* domain, EventChannel* channel, uint port)
    {
        if (domain->Events.Fifo != null)
        {
            FifoDelivery.Unmask(domain, channel, port);
            return;
        }

        port = Shown(port);
        if (!Machine.TestAndClearBit(domain->SharedInfo->EventChannelMask, port) || !IsPendingBit(domain, port))
        {
            return;
        }

        Vcpu* target = domain->VcpuOf(channel->NotifyVcpu);
        if (target != null)
        {
            Mark(target, port >> 6);
        }
    }

    /// <summary>A port that has an entry has an event.</summary>
    internal static bool IsPending(Domain* domain, uint port) => domain->Events.Fifo != null
        ? FifoDelivery.IsPending(domain, EventPorts.At(domain, port), port)
        : IsPendingBit(domain, Shown(port));

    /// <summary>The pending bit of the two-level interface.</summary>
    internal static bool IsPendingBit(Domain* domain, uint port) =>
        (Volatile.Read(ref domain->SharedInfo->EventChannelPending[port >> 6]) >> (int)(port & 63) & 1) != 0;

    /// <remarks>Under the domain's lock.</remarks>
    internal static void ClearPending(Domain* domain, EventChannel* channel, uint port)
    {
        if (domain->Events.Fifo != null)
        {
            FifoDelivery.ClearPending(domain, channel, port);
        }
        else
        {
            _ = Machine.TestAndClearBit(domain->SharedInfo->EventChannelPending, port);
        }
    }

    /// <summary>The mask of a port that has an entry, whichever interface is used.</summary>
    internal static bool IsMasked(Domain* domain, uint port) => domain->Events.Fifo != null
        ? FifoDelivery.IsMasked(domain, port)
        : IsMasked(domain->SharedInfo, Shown(port));

    /// <summary>The vCPU would take an upcall if it ran now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool HasPendingUpcall(Vcpu* vcpu) =>
        Volatile.Read(ref vcpu->Info->EventChannelUpcallPending) != 0 && !vcpu->IsUpcallMasked();

    /// <summary>
    /// The vCPU's record is a new one. Every word is marked, so that the guest looks at all of its ports: an event that
    /// was told to the old record is found, one that was told to both is merely found twice.
    /// </summary>
    public static void AfterInfoMoved(Vcpu* vcpu)
    {
        VcpuInfo* info = vcpu->Info;
        Volatile.Write(ref info->EventChannelPendingSel, ulong.MaxValue);
        _ = Machine.TestAndSetBit(info, UpcallPendingBit);
        VcpuScheduling.Kick(vcpu);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsMasked(SharedInfo* shared, uint port) =>
        (Volatile.Read(ref shared->EventChannelMask[port >> 6]) >> (int)(port & 63) & 1) != 0;

    /// <summary>The vCPU has something to look at: it takes an upcall when it can.</summary>
    internal static void RequestUpcall(Vcpu* vcpu)
    {
        VcpuInfo* info;
        do
        {
            info = (VcpuInfo*)Volatile.Read(ref *(ulong*)&vcpu->Info);
            if (TrySet((ulong*)info, UpcallPendingBit))
            {
                VcpuScheduling.Kick(vcpu);
            }
        }
        while (info != (VcpuInfo*)Volatile.Read(ref *(ulong*)&vcpu->Info));
    }

    /// <summary>
    /// A port that the two-level interface can show. A domain that leaves the FIFO interface on one vCPU may name a
    /// higher one on another at the same moment, which then means any of its own: nothing is told to others.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Shown(uint port) => port & (EventChannelLimits.TwoLevelNrChannels - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Tell(Domain* domain, Vcpu* target, uint port)
    {
        if (!IsMasked(domain->SharedInfo, port))
        {
            Mark(target, port >> 6);
        }

        if (HasPollers(domain))
        {
            Polling.WakePollers(domain, port);
        }
    }

    /// <summary>Sets the selector's bit and the upcall's.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mark(Vcpu* vcpu, uint word)
    {
        VcpuInfo* info;
        do
        {
            info = (VcpuInfo*)Volatile.Read(ref *(ulong*)&vcpu->Info);
            if (TrySet(&info->EventChannelPendingSel, (int)word) && TrySet((ulong*)info, UpcallPendingBit))
            {
                VcpuScheduling.Kick(vcpu);
            }
        }
        while (info != (VcpuInfo*)Volatile.Read(ref *(ulong*)&vcpu->Info));
    }

    /// <summary>Sets a bit; false when it was set.</summary>
    /// <remarks>
    /// Precondition: the caller has just passed a full barrier. A word that others write to all the time costs one
    /// attempt and then an instruction that cannot fail.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TrySet(ulong* word, int bit)
    {
        ulong seen = Volatile.Read(ref *word);
        if ((seen >> bit & 1) != 0)
        {
            return false;
        }

        return Interlocked.CompareExchange(ref *word, seen | 1UL << bit, seen) == seen
            || !Machine.TestAndSetBit(word, (ulong)bit);
    }
}
