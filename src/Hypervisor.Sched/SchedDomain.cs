// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the scheduler keeps for a domain; lives inside the domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SchedDomain
{
    /// <summary>What the policy remembers about the domain: weights, shares, accounts.</summary>
    public PolicyData Policy;
}
