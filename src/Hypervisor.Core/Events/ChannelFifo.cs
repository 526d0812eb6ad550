// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>What the FIFO interface keeps of a port, in 16 bits.</summary>
/// <remarks>
/// Priority (0 to 3); priority and vCPU of the queue to which it was appended last (4 to 7, 8 to 14); an event that
/// waits for a page of the array (15). Changes under <see cref="DomainEvents.FifoLock"/>.
/// </remarks>
public static class ChannelFifo
{
    private const uint PriorityMask = 0x000F;
    private const int QueueShift = 4;
    private const uint QueueMask = 0x7FF0;
    private const int QueueVcpuShift = 8;
    private const uint WaitingBit = 0x8000;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint PriorityOf(ushort fifo) => fifo & PriorityMask;

    public static ushort WithPriority(ushort fifo, uint priority) => (ushort)((fifo & ~PriorityMask) | priority);

    /// <summary>vCPU of the queue.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint QueueVcpuOf(ushort fifo) => (fifo & QueueMask) >> QueueVcpuShift;

    /// <summary>Priority of the queue.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint QueuePriorityOf(ushort fifo) => ((uint)fifo >> QueueShift) & PriorityMask;

    /// <summary>Appended to the queue of its priority of a vCPU.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort WithQueue(ushort fifo, uint vcpu) =>
        (ushort)((fifo & ~QueueMask) | (PriorityOf(fifo) << QueueShift) | (vcpu << QueueVcpuShift));

    public static bool IsWaiting(ushort fifo) => (fifo & WaitingBit) != 0;

    public static ushort Waiting(ushort fifo) => (ushort)(fifo | WaitingBit);

    public static ushort NotWaiting(ushort fifo) => (ushort)(fifo & ~WaitingBit);

    /// <summary>Of a port that is allocated: default priority, nothing waits. Which queue it was in stays known.</summary>
    public static ushort Fresh(ushort fifo) => (ushort)((fifo & QueueMask) | FifoEventPriority.Default);
}
