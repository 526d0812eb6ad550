// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Interrupts;

/// <summary>Physical interrupts as domains bind them. There is no interrupt controller yet that could route one.</summary>
public static unsafe class PhysicalIrqs
{
    /// <summary>Routes the interrupt to the domain; <paramref name="share"/>: others may have it, too.</summary>
    public static Errno Bind(Domain* domain, uint pirq, bool share) => Errno.Inval;

    public static void Unbind(Domain* domain, uint pirq)
    {
    }

    /// <summary>The domain unmasked the port: an interrupt held back may be delivered.</summary>
    public static void OnUnmask(Domain* domain, uint pirq)
    {
    }
}
