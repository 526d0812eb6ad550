// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Events;
using Hypervisor.Core.Grants;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>A domain: memory, vCPUs, ports, grants and what the tools said about it.</summary>
/// <remarks>
/// Locking: <see cref="PageLock"/> protects the page list and the counts beside it; <see cref="MmuLock"/>
/// serialises every
/// change of the domain's page tables and page types (order: MmuLock before PageLock, a guest's before a granter's
/// Grants.Lock; see docs/locking.md). The lifecycle fields change under <c>DomainTable.Lock</c>.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Domain
{
    public const int MaxVcpus = 128;

    public ushort Id;

    /// <summary>Tells domains apart that had the same number one after the other; never 0.</summary>
    public ulong Serial;

    /// <summary>The initial domain, and whoever was created with its rights.</summary>
    public bool IsPrivileged;
    public bool IsDying;
    public bool IsShutDown;
    public bool IsShuttingDown;
    public bool IsPausedByTools;
    public bool IsCrashed;
    public byte ShutdownCode;

    /// <summary>References to the structure itself; the last one frees it.</summary>
    public long References;
    public SpinLock MmuLock;
    public SpinLock PageLock;

    /// <summary>First and last frame of the list of owned pages (PageInfo.Next/Previous), or none.</summary>
    public Mfn FirstPage;
    public Mfn LastPage;

    /// <summary>Frames owned; the most the domain may own; frames promised by a claim but not yet handed
    /// out.</summary>
    public ulong TotalPages;
    public ulong MaxPages;
    public ulong OutstandingPages;

    /// <summary>Pages that the hypervisor keeps for the domain, and how many it may keep (<see cref="Mmu.DomainMemory"/>).</summary>
    public long KeptFrames;
    public long KeptLimit;

    public SharedInfo* SharedInfo;
    public Mfn SharedInfoFrame;

    public uint VcpuCount;
    public uint MaxVcpuCount;

    /// <summary>VMASST_TYPE_* bits on.</summary>
    public ulong VmAssist;

    public DomainEvents Events;
    public DomainGrants Grants;
    public DomainTime Time;
    public SchedDomain Sched;
    /// <summary>CPUID and MSR policy of the domain (Emulation/), in pages of its own.</summary>
    public CpuPolicy* CpuidPolicy;

    /// <summary>May map frames of the machine that are no RAM, and use ports.</summary>
    public bool HasHardwareAccess;
    public byte PhysicalAddressBits;

    /// <summary>The highest port that the tools allow.</summary>
    public uint MaxEventChannelPort;
    public uint MaxGrantFrames;
    public uint MaxMaptrackFrames;
    public uint Ssid;
    public fixed byte Handle[16];

    /// <summary>E820 map set by the tools (XENMEM_set_memory_map): entries in one page, or null.</summary>
    public byte* MemoryMap;
    public uint MemoryMapEntries;

    /// <summary>P2M size as the domain published it, for XENMEM_maximum_gpfn.</summary>
    public ulong MaxGpfn;

    /// <summary>Progress of destruction, so that it can be preempted (<c>DomainLifecycle</c>).</summary>
    public uint DestructionStage;
    public ulong DestructionCursor;

    /// <summary>Frame of the table whose release destruction has begun, or 0.</summary>
    public ulong DestructionTable;

    /// <summary>Not zero while some CPU works at the destruction.</summary>
    public int IsBeingDestroyed;

    /// <summary>Pauses by the tools that no unpause has undone; <see cref="IsPausedByTools"/> while there are
    /// any.</summary>
    public uint ToolPauses;

    /// <summary>The tools have let it run once: what it was told about the processor stands.</summary>
    public bool HasStarted;

    /// <summary>What the log says because of this domain (<c>GuestMessages</c>).</summary>
    public MessageRate Messages;

    /// <summary>Latched PCI configuration address and CMOS index of this domain's port accesses.</summary>
    public uint PciConfigAddress;
    public byte CmosIndex;

    public fixed ulong VcpuPointers[MaxVcpus];

    /// <summary>vCPU <paramref name="id"/>, or null where the number is too large or the vCPU was never
    /// made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vcpu* VcpuOf(ulong id) => id < MaxVcpuCount && id < MaxVcpus ? (Vcpu*)VcpuPointers[id] : null;
}
