// SPDX-License-Identifier: MIT
// Sockets, cores and threads, from the APIC ids and from what CPUID says of their fields: leaf Bh where there is
// one, else the number of logical processors of leaf 1 (all of them cores).

using Hypervisor.Core.Emulation;
using Hypervisor.Core.Memory;
using Hypervisor.Core.Mmu;
using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Places of CPUs, of memory and of devices.</summary>
public static unsafe class HostTopology
{
    private const uint HyperThreadingBit = 1u << 28;
    private const uint SameNode = 10;

    public static uint ThreadsPerCore
    {
        get
        {
            Fields(out int threadBits, out _);
            return 1u << threadBits;
        }
    }

    public static uint CoresPerSocket
    {
        get
        {
            Fields(out int threadBits, out int socketBits);
            return 1u << (socketBits - threadBits);
        }
    }

    /// <summary>Where a CPU is: its socket, its core there, its thread there.</summary>
    public static void PlaceOf(uint cpu, out uint socket, out uint core, out uint thread)
    {
        Fields(out int threadBits, out int socketBits);
        uint apicId = Machine.CpuOf(cpu)->LocalApicId;
        socket = apicId >> socketBits;
        core = (apicId & ((1u << socketBits) - 1)) >> threadBits;
        thread = apicId & ((1u << threadBits) - 1);
    }

    /// <summary>XEN_SYSCTL_cputopoinfo: without a list only the number is told.</summary>
    public static HypercallResult Cpus(SysCtlCpuTopoInfo* request)
    {
        uint count = Machine.OnlineCpus;
        if (request->CpuTopo != 0)
        {
            count = request->NumCpus < count ? request->NumCpus : count;
            for (uint cpu = 0; cpu < count; cpu++)
            {
                SysCtlCpuTopo place;
                PlaceOf(cpu, out place.Socket, out place.Core, out _);
                place.Node = 0;
                if (!GuestMemory.WriteElement(request->CpuTopo, cpu, &place))
                {
                    return Errno.Fault;
                }
            }
        }

        request->NumCpus = count;
        return Errno.Ok;
    }

    /// <summary>XEN_SYSCTL_numainfo: one node with all memory.</summary>
    public static HypercallResult Nodes(SysCtlNumaInfo* request)
    {
        if (request->NumNodes != 0 && request->MemInfo != 0)
        {
            SysCtlMemInfo memory;
            memory.MemSize = HostMemoryMap.RamFrames << MemoryLayout.PageShift;
            memory.MemFree = PageAllocator.FreeFrames << MemoryLayout.PageShift;
            if (!GuestMemory.Write(request->MemInfo, &memory))
            {
                return Errno.Fault;
            }
        }

        if (request->NumNodes != 0 && request->Distance != 0)
        {
            uint distance = SameNode;
            if (!GuestMemory.Write(request->Distance, &distance))
            {
                return Errno.Fault;
            }
        }

        request->NumNodes = 1;
        return Errno.Ok;
    }

    /// <summary>XEN_SYSCTL_pcitopoinfo: no device is nearer to one node than to another.</summary>
    public static HypercallResult Devices(SysCtlPciTopoInfo* request)
    {
        uint none = TopologyInvalid.NodeId;
        for (uint index = 0; index < request->NumDevs; index++)
        {
            if (!GuestMemory.WriteElement(request->Nodes, index, &none))
            {
                return Errno.Fault;
            }

            if ((index & 63) == 63 && Preemption.IsDue())
            {
                // As many as are done: the tools go on from there.
                request->NumDevs = index + 1;
                break;
            }
        }

        return Errno.Ok;
    }

    /// <summary>Bits of an APIC id below the core's number, and below the socket's.</summary>
    private static void Fields(out int threadBits, out int socketBits)
    {
        uint* registers = stackalloc uint[4];
        threadBits = 0;
        socketBits = 0;
        Machine.Cpuid(0, 0, registers);
        uint limit = registers[0];
        if (limit >= 0xB)
        {
            Machine.Cpuid(0xB, 0, registers);
            if (registers[1] != 0)
            {
                threadBits = (int)(registers[0] & 31);
                Machine.Cpuid(0xB, 1, registers);
                socketBits = registers[1] != 0 ? (int)(registers[0] & 31) : threadBits;
                socketBits = socketBits < threadBits ? threadBits : socketBits;
                return;
            }
        }

        Machine.Cpuid(1, 0, registers);
        uint logical = (registers[3] & HyperThreadingBit) != 0 ? (registers[1] >> 16) & 0xFF : 1;
        while (1u << socketBits < logical)
        {
            socketBits++;
        }
    }
}
