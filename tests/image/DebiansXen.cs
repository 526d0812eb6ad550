// SPDX-License-Identifier: MIT
using Xt.Machine;

namespace Image.Tests;

/// <summary>What machines of tests that run on Debian's Xen too tell it.</summary>
internal static class DebiansXen
{
    /// <summary>
    /// Vector registers are switched with the vCPU. While Xen left them where they were until somebody else used some, programs
    /// of Domain-0 and of guests died on QEMU 7.2 now and then, of damaged heaps and wrong addresses.
    /// </summary>
    public static string Arguments(HypervisorKind hypervisor) =>
        hypervisor == HypervisorKind.Xen ? "spec-ctrl=eager-fpu" : string.Empty;
}
