// SPDX-License-Identifier: MIT
// x87 and vector state of guests. Switched eagerly: where XSAVE ignores CR0.TS (emulators), a lazy switch would leak one
// guest's registers to the next. The vector registers that the hypervisor's own code uses lie in CpuInfo.VectorSave while
// it runs; the assembly routines merge them, so that a saved image is always the guest's truth.

using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>Saves and restores the extended state of vCPUs.</summary>
public static unsafe class ExtendedState
{
    private static uint s_size;
    private static ulong s_hostXcr0;

    /// <summary>Bytes of an area, a multiple of 64.</summary>
    public static uint Size => s_size;

    /// <summary>Components that the processor has and guests may get; 0 where there is no XSAVE.</summary>
    public static ulong HostXcr0 => s_hostXcr0;

    /// <summary>Announces what the processor has. Once, at boot.</summary>
    public static void Initialise(uint size, ulong hostXcr0)
    {
        s_size = (size + 63) & ~63u;
        s_hostXcr0 = hostXcr0;
    }

    /// <summary>The state of a processor after reset: x87 FCW 037Fh, MXCSR 1F80h, all else zero.</summary>
    public static void Reset(byte* area)
    {
        Machine.Zero(area, s_size);
        *(ushort*)area = 0x37F;
        *(uint*)(area + 24) = 0x1F80;
        if (s_hostXcr0 != 0)
        {
            *(ulong*)(area + 512) = 3;
        }
    }

    public static void Save(Vcpu* vcpu) =>
        Machine.SaveExtendedState(vcpu->ExtendedState, s_hostXcr0, Machine.Cpu->VectorSave);

    public static void Restore(Vcpu* vcpu) =>
        Machine.RestoreExtendedState(vcpu->ExtendedState, s_hostXcr0, Machine.Cpu->VectorSave);
}
