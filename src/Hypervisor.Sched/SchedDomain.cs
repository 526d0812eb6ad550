// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the scheduler keeps for a domain; lives inside the domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct SchedDomain
{
    /// <summary>Parameters for each policy, kept whichever is in force. They change under
    /// <see cref="SchedSystem.UnitsLock"/>.</summary>
    public CreditParameters Credit;
    public SedfParameters Sedf;
    public BvtParameters Bvt;

    /// <summary>For what the policy keeps in <see cref="Policy"/>; nests inside a CPU's lock.</summary>
    public SpinLock Lock;

    /// <summary>Units that the scheduler knows.</summary>
    public uint Units;

    /// <summary><see cref="SchedSystem.Generation"/> for which <see cref="Policy"/> was made.</summary>
    public uint Generation;

    /// <summary>What the policy remembers about the domain: rates, budgets.</summary>
    public PolicyData Policy;

    /// <summary>Fills the entry of a new domain, of which the scheduler knows no unit.</summary>
    public static void Initialise(SchedDomain* domain)
    {
        *domain = default;
        domain->Credit = CreditParameters.Default;
        domain->Sedf = SedfParameters.Default;
        domain->Bvt = BvtParameters.Default;
    }
}
