// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>CPUID leaves and feature MSRs, in memory that the hypervisor reads and writes.</summary>
public sealed class CpuPolicy : IDisposable
{
    internal CpuPolicy(NativeRegion leaves, uint leafCount, NativeRegion msrs, uint msrCount)
    {
        Leaves = leaves;
        LeafCount = leafCount;
        Msrs = msrs;
        MsrCount = msrCount;
    }

    internal NativeRegion Leaves { get; }

    internal uint LeafCount { get; }

    internal NativeRegion Msrs { get; }

    internal uint MsrCount { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        Leaves.Dispose();
        Msrs.Dispose();
    }
}
