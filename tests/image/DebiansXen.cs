// SPDX-License-Identifier: MIT
using Xt.Machine;

namespace Image.Tests;

/// <summary>What machines of tests that run on Debian's Xen too tell it.</summary>
internal static class DebiansXen
{
    /// <summary>
    /// Vector registers are switched with the vCPU. Without this programs of Domain-0 and of guests died in long runs on QEMU
    /// 7.2, of damaged heaps and wrong addresses; with it none has (docs/testing.md).
    /// </summary>
    public static string Arguments(HypervisorKind hypervisor) =>
        hypervisor == HypervisorKind.Xen ? "spec-ctrl=eager-fpu" : string.Empty;
}
