// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Memory;

/// <summary>Hypercall memory_op: which frames domains have, and what is known about the machine's.</summary>
public static unsafe class MemoryOps
{
    /// <summary>The sub-operation is below; above stands how many extents earlier slices have done.</summary>
    public const int StartShift = 6;
    private const ulong CommandMask = (1UL << StartShift) - 1;

    public static HypercallResult Dispatch(Vcpu* vcpu, ulong command, ulong argument, CpuUserRegs* frame) =>
        (MemoryCommand)(command & CommandMask) switch
        {
            MemoryCommand.IncreaseReservation or MemoryCommand.DecreaseReservation or MemoryCommand.PopulatePhysMap =>
                ReservationOps.Run(vcpu, command, argument, frame),
            MemoryCommand.Exchange => ExchangeOps.Run(vcpu, command, argument, frame),
            MemoryCommand.MaximumRamPage => MemoryQueries.MaximumRamPage(),
            MemoryCommand.CurrentReservation => MemoryQueries.CurrentReservation(vcpu, argument),
            MemoryCommand.MaximumReservation => MemoryQueries.MaximumReservation(vcpu, argument),
            MemoryCommand.MaximumGpfn => MemoryQueries.MaximumGpfn(vcpu, argument),
            MemoryCommand.MachPhysMfnList => MachineToPhysicalTable.ListFrames(argument),
            MemoryCommand.MachPhysMapping => MachineToPhysicalTable.Describe(argument),
            MemoryCommand.MemoryMap => MemoryMapOps.Get(vcpu, argument),
            MemoryCommand.MachineMemoryMap => MemoryMapOps.GetMachine(vcpu, argument),
            MemoryCommand.SetMemoryMap => MemoryMapOps.Set(vcpu, argument),
            MemoryCommand.GetSharingFreedPages or MemoryCommand.GetSharingSharedPages => Errno.Ok,
            MemoryCommand.ClaimPages => ClaimOps.Claim(vcpu, argument),
            MemoryCommand.GetVNumaInfo => Errno.OpNotSupp,
            MemoryCommand.ReservedDeviceMemoryMap => MemoryQueries.ReservedDeviceMemory(vcpu, argument),
            MemoryCommand.AcquireResource => ResourceOps.Acquire(vcpu, argument),
            _ => Errno.NoSys,
        };
}
