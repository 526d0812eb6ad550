// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Xen.Abi;

namespace Hypervisor.Core.Events;

/// <summary>The ports through which a vCPU gets its virtual interrupts.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct VcpuEvents
{
    /// <summary>Port of each virtual interrupt or 0; written under the domain's <see
    /// cref="DomainEvents.Lock"/>.</summary>
    public fixed uint VirqPorts[(int)VirtualIrqLimits.Count];

    public VcpuFifo Fifo;
}
