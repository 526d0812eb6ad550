// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>What the credit policy is told about a domain.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct CreditParameters
{
    public const uint DefaultWeight = 256;
    public const uint MaxWeight = 65535;

    /// <summary>Share of the machine in proportion to other domains' weights: 1 to
    /// <see cref="MaxWeight"/>.</summary>
    public uint Weight;

    /// <summary>Ceiling in per cent of one CPU; 0 is none.</summary>
    public uint Cap;

    public static CreditParameters Default => new() { Weight = DefaultWeight };

    /// <summary>Values that the policy can work with, for a domain of so many vCPUs.</summary>
    public readonly bool IsValid(uint vcpus) => Weight - 1 < MaxWeight && Cap <= vcpus * 100;
}
