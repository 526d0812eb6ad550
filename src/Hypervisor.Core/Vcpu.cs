// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Hypervisor.Core.Events;
using Hypervisor.Core.Time;
using Hypervisor.Sched;
using Xen.Abi;
using Xen.Abi.Extensions;

namespace Hypervisor.Core;

/// <summary>
/// A virtual CPU. Lives in whole pages of its own from creation until the domain is gone; never moves.
/// </summary>
/// <remarks>
/// While the vCPU is loaded on a CPU its registers are in <see cref="CpuInfo.Guest"/> and in the processor;
/// <see cref="Registers"/> and <see cref="ExtendedState"/> are the truth only while <see cref="LoadedOn"/> is
/// <see cref="NotLoaded"/>. The first fields are read by boot/*.asm (offsets.inc).
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Vcpu
{
    public const uint NotLoaded = 0xFFFFFFFF;
    public const int MaxGdtFrames = 14;

    public Domain* Domain;

    /// <summary>The shared vcpu_info, in the hypervisor's direct map; never null once the vCPU exists.</summary>
    public VcpuInfo* Info;

    /// <summary>True while the guest kernel runs, false for guest user mode.</summary>
    public bool InKernelMode;

    /// <summary>The guest set CR0.TS (fpu_taskswitch): the processor's bit is set while this vCPU's code runs.</summary>
    public bool TaskSwitched;

    /// <summary>Something other than an upcall has to be looked at before the guest runs (<see cref="VcpuWork"/>).</summary>
    public uint Work;

    /// <summary>Values for CR3 in guest kernel and guest user mode.</summary>
    public ulong Cr3Kernel;
    public ulong Cr3User;

    public ulong KernelStack;
    public ulong KernelStackSegment;
    public ulong EventCallback;
    public ulong FailsafeCallback;
    public ulong SyscallCallback;
    public ulong Syscall32Callback;
    public ulong SysenterCallback;
    public ushort Syscall32Selector;
    public ushort SysenterSelector;
    public bool FailsafeMasksEvents;
    public bool SyscallMasksEvents;
    public bool Syscall32MasksEvents;
    public bool SysenterMasksEvents;

    public uint Id;

    /// <summary>CPU that holds the registers, or <see cref="NotLoaded"/>.</summary>
    public uint LoadedOn;

    /// <summary>Trap table as the guest set it; a null address is an entry never set.</summary>
    public TrapInfo* Traps;

    /// <summary>Bases as last known while not loaded; FSGSBASE lets guests change them silently, so a switch reads them back.</summary>
    public ulong FsBase;
    public ulong GsBaseKernel;
    public ulong GsBaseUser;

    /// <summary>Roots with a reference and a type count each: the kernel's (always while runnable) and the user's (or none).</summary>
    public Mfn KernelRoot;
    public Mfn UserRoot;

    public fixed ulong GdtFrames[MaxGdtFrames];
    public uint GdtEntries;
    public uint LdtEntries;
    public ulong LdtBase;

    public ulong Cr0Guest;
    public ulong Cr4Guest;
    public ulong Xcr0;

    /// <summary>XCR0 bits ever used: what a save must contain.</summary>
    public ulong Xcr0Accumulated;
    public fixed ulong DebugRegisters[8];
    public uint TscAux;
    public byte IoPrivilegeLevel;
    public ulong IoBitmap;
    public uint IoBitmapPorts;

    /// <summary>VGCF_online and friends: was initialised; is offline (VCPUOP_down or never up).</summary>
    public bool Initialised;
    public bool Offline;

    /// <summary>Nested pause requests of tools and of the hypervisor itself.</summary>
    public int PauseCount;

    public bool NmiPending;
    public bool NmiMasked;
    public bool InCompatibilityFrame;

    /// <summary>The vm_assist that emulation of page-table writes needs is in the domain; this is the multicall state.</summary>
    public bool InMulticall;
    public bool HypercallPreempted;
    public ulong MulticallResult;

    /// <summary>Written by the CPU that runs the vCPU alone.</summary>
    public VcpuCounters Counters;

    public VcpuEvents Events;
    public VcpuTime Time;
    public SchedUnit Sched;

    public CpuUserRegs Registers;
    public ulong DsSelector;
    public ulong EsSelector;
    public ulong FsSelector;
    public ulong GsSelector;

    /// <summary>XSAVE area (or FXSAVE image where the CPU has no XSAVE), 64-byte aligned, <c>ExtendedStateSize</c> bytes.</summary>
    public byte* ExtendedState;

    /// <summary>Page tables whose release gave way, at most one for each level; finished before the vCPU runs again.</summary>
    public fixed ulong ParkedTables[4];
    public uint ParkedCount;

    /// <summary>Registered vcpu_info frame, or none while <see cref="Info"/> is in shared_info.</summary>
    public Mfn InfoFrame;
    public ulong RunstateGuestAddress;
    public ulong TimeAreaGuestAddress;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool IsUpcallMasked() => (Info->EventChannelUpcallMask & 1) != 0;
}

/// <summary>Reasons in <see cref="Vcpu.Work"/> why the slow way back to the guest is taken.</summary>
public static unsafe class VcpuWork
{
    public const uint Nmi = 1 << 0;
    public const uint DestroySelf = 1 << 1;

    /// <summary><see cref="Vcpu.ParkedTables"/> wait.</summary>
    public const uint ReleaseTable = 1 << 2;

    /// <summary>The clock has a new base: <c>GuestTime.Renew</c>.</summary>
    public const uint Time = 1 << 3;

    /// <summary>Other CPUs set bits too (an NMI), so each change is a locked one.</summary>
    public static void Set(Vcpu* vcpu, uint bits) => Change(vcpu, bits, 0);

    public static void Clear(Vcpu* vcpu, uint bits) => Change(vcpu, 0, bits);

    private static void Change(Vcpu* vcpu, uint set, uint clear)
    {
        uint seen = Volatile.Read(ref vcpu->Work);
        while (true)
        {
            uint found = Interlocked.CompareExchange(ref vcpu->Work, (seen | set) & ~clear, seen);
            if (found == seen)
            {
                return;
            }

            seen = found;
        }
    }
}
