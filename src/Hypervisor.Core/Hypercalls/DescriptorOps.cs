// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Hypercalls;

/// <summary>Hypercalls set_gdt and update_descriptor.</summary>
public static unsafe class DescriptorOps
{
    private struct Frames
    {
        public fixed ulong List[Vcpu.MaxGdtFrames];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static HypercallResult SetGdt(Vcpu* vcpu, ulong list, uint entries)
    {
        if (entries > DescriptorTables.FirstReservedEntry)
        {
            return Errno.Inval;
        }

        Frames frames;
        uint count = (entries + 511) / 512;
        return count == 0 || GuestMemory.Read(list, frames.List, count * 8)
            ? DescriptorTables.SetGdt(vcpu, frames.List, entries)
            : Errno.Fault;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static HypercallResult Update(Vcpu* vcpu, ulong machineAddress, ulong descriptor) =>
        DescriptorTables.Update(vcpu, machineAddress, descriptor);
}
