// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>
/// Hypercall mca: what Domain-0's collector of machine checks asks. A machine check stops the machine here, so there is
/// never a record to fetch.
/// </summary>
public static unsafe class MachineCheckOps
{
    private const ulong CommandBytes = 8;

    /// <returns>Perm: no hardware access. Access: another version of the interface. NoSys: no such sub-operation.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static HypercallResult Dispatch(Vcpu* vcpu, ulong argument)
    {
        Mc request;
        if (!vcpu->Domain->HasHardwareAccess)
        {
            return Errno.Perm;
        }

        if (!GuestMemory.Read(argument, &request))
        {
            return Errno.Fault;
        }

        if (request.InterfaceVersion != MachineCheckInterface.Version)
        {
            return Errno.Access;
        }

        switch ((MachineCheckCommand)request.Cmd)
        {
            case MachineCheckCommand.Fetch:
                return Fetch(argument, ref request.McFetch);
            case MachineCheckCommand.PhysCpuInfo:
                return DescribeCpus(argument, ref request.McPhysCpuInfo);
            default:
                return Errno.NoSys;
        }
    }

    private static HypercallResult Fetch(ulong argument, ref McFetch fetch)
    {
        // Exactly one of the two kinds is fetched, or acknowledged.
        uint kind = fetch.Flags & (MachineCheckFlags.Urgent | MachineCheckFlags.NonUrgent);
        if (kind is not (MachineCheckFlags.Urgent or MachineCheckFlags.NonUrgent)
            || (fetch.Flags & ~(kind | MachineCheckFlags.Ack)) != 0)
        {
            return Errno.Inval;
        }

        McFetch answer = fetch;
        answer.Flags = MachineCheckFlags.NoData;
        answer.FetchId = 0;
        return GuestMemory.Write(argument + CommandBytes, &answer) ? Errno.Ok : Errno.Fault;
    }

    /// <summary>Without a list only the number of CPUs is told.</summary>
    private static HypercallResult DescribeCpus(ulong argument, ref McPhysCpuInfo request)
    {
        uint count = Machine.OnlineCpus;
        if (request.Info != 0)
        {
            count = request.Ncpus < count ? request.Ncpus : count;
            McInfoLogicalCpu* cpu = (McInfoLogicalCpu*)PageAllocator.AllocatePages(0);
            if (cpu == null)
            {
                return Errno.NoMem;
            }

            bool written = true;
            for (uint number = 0; number < count && written; number++)
            {
                Machine.Zero(cpu, (nuint)sizeof(McInfoLogicalCpu));
                Describe(number, cpu);
                written = GuestMemory.WriteElement(request.Info, number, cpu);
            }

            PageAllocator.FreePages(cpu, 0);
            if (!written)
            {
                return Errno.Fault;
            }
        }

        McPhysCpuInfo answer = request;
        answer.Ncpus = count;
        return GuestMemory.Write(argument + CommandBytes, &answer) ? Errno.Ok : Errno.Fault;
    }

    private static void Describe(uint number, McInfoLogicalCpu* cpu)
    {
        HostTopology.PlaceOf(number, out uint socket, out uint core, out uint thread);
        cpu->McCpuNr = number;
        cpu->McChipId = socket;
        cpu->McCoreId = (ushort)core;
        cpu->McThreadId = (ushort)thread;
        cpu->McApicId = Machine.CpuOf(number)->LocalApicId;
        cpu->McNCores = HostTopology.CoresPerSocket;
        cpu->McNCoresActive = cpu->McNCores;
        cpu->McNThreads = HostTopology.ThreadsPerCore;

        uint* registers = stackalloc uint[4];
        Machine.Cpuid(0, 0, registers);
        cpu->McCpuIdLevel = (int)registers[0];
        uint* vendor = (uint*)cpu->McVendorId;
        vendor[0] = registers[1];
        vendor[1] = registers[3];
        vendor[2] = registers[2];
        CpuSignature signature = CpuSignature.Read();
        cpu->McFamily = signature.Family;
        cpu->McModel = signature.Model;
        cpu->McStep = signature.Stepping;

        Machine.Cpuid(0x8000_0000, 0, registers);
        uint last = registers[0];
        uint* brand = (uint*)cpu->McBrandId;
        for (uint leaf = 0x8000_0002; leaf <= 0x8000_0004 && leaf <= last; leaf++)
        {
            Machine.Cpuid(leaf, 0, brand);
            brand += 4;
        }

        Machine.Cpuid(1, 0, registers);
        cpu->McCpuCaps[0] = registers[3];
        cpu->McCpuCaps[4] = registers[2];
        cpu->McCacheAlignment = (registers[1] >> 8 & 0xFF) * 8;
        Machine.Cpuid(0x8000_0001, 0, registers);
        cpu->McCpuCaps[1] = registers[3];
        cpu->McCpuCaps[6] = registers[2];
    }
}
