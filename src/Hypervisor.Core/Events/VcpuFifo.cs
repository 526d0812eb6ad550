// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>The sixteen queues of a vCPU, one for each priority.</summary>
/// <remarks>Changes under <see cref="DomainEvents.FifoLock"/>.</remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuFifo
{
    /// <summary>The guest's memory in the direct map, with a writable reference; null: not set up.</summary>
    public EventChannelFifoControlBlock* Control;

    /// <summary>The port that was appended last, or 0. It tells by itself whether it still stands in the queue.</summary>
    public fixed uint Tails[(int)EventChannelLimits.FifoMaxQueues];
}
