// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Hypercall set_segment_base. The guest kernel calls, so the user's GS base is the one behind SWAPGS.</summary>
public static unsafe class SegmentOps
{
    private const uint Fs = 0;
    private const uint GsUser = 1;
    private const uint GsKernel = 2;
    private const uint GsUserSelector = 3;

    /// <returns>Inval: not canonical, or no such register.</returns>
    public static HypercallResult SetBase(Vcpu* vcpu, uint which, ulong value)
    {
        // On every context switch of Linux: before anything else.
        if (which == GsUser && GuestAddress.IsCanonical(value))
        {
            Machine.WriteMsr(Msr.KernelGsBase, value);
            return Errno.Ok;
        }

        return Other(which, value);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static HypercallResult Other(uint which, ulong value)
    {
        if (which == GsUserSelector)
        {
            _ = Machine.LoadGs((ushort)value);
            return Errno.Ok;
        }

        if (!GuestAddress.IsCanonical(value))
        {
            return Errno.Inval;
        }

        switch (which)
        {
            case Fs:
                Machine.WriteMsr(Msr.FsBase, value);
                return Errno.Ok;
            case GsKernel:
                Machine.WriteMsr(Msr.GsBase, value);
                return Errno.Ok;
            default:
                return Errno.Inval;
        }
    }
}
