// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;
using Xen.Abi;

namespace Hypervisor;

/// <summary>
/// What a CPU keeps at the top of its stack. Entries from a guest push their frame into <see cref="Guest"/>, so the
/// interrupted guest's registers are always here; the address follows from the stack pointer alone.
/// </summary>
/// <remarks>
/// Invariants: <see cref="Guest"/> lies at 8 modulo 16, since the processor aligns the stack to 16 below SS when it
/// pushes an interrupt frame. Assembly files know these offsets through <c>offsets.inc</c>.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = 0x400)]
public unsafe struct CpuInfo
{
    public const int VectorSaveOffset = 0x80;
    public const int GuestOffset = 0x108;

    /// <summary>The guest's vector registers that the image's code may change, saved at entry (boot/vectors.inc).</summary>
    [FieldOffset(VectorSaveOffset)]
    public fixed ulong VectorSave[8];

    /// <summary>Registers of the guest that was interrupted; rbx, rbp and r12–r15 only after a full save.</summary>
    [FieldOffset(GuestOffset)]
    public CpuUserRegs Guest;

    /// <summary>The vCPU whose state is loaded on this CPU (a <c>Vcpu*</c> of Hypervisor.Core).</summary>
    [FieldOffset(0x200)]
    public void* Current;

    [FieldOffset(0x208)]
    public uint CpuId;

    /// <summary>Bit n: soft interrupt n wants to run before the guest does (<see cref="SoftIrq"/>).</summary>
    [FieldOffset(0x20C)]
    public uint SoftIrqPending;

    /// <summary>Not zero when the running vCPU wants CR0.TS: set on the way to the guest, clear while C# runs.</summary>
    [FieldOffset(0x210)]
    public byte TaskSwitchedSet;

    [FieldOffset(0x218)]
    public ulong Cr3;

    /// <summary>Value of TSS.RSP0, for checks.</summary>
    [FieldOffset(0x220)]
    public ulong StackTop;

    /// <summary>Scratch that the NMI path hands from its own stack.</summary>
    [FieldOffset(0x228)]
    public ulong NmiCount;

    /// <summary>Points to this CPU's entry of the scheduler (a <c>SchedCpu*</c>).</summary>
    [FieldOffset(0x230)]
    public void* SchedCpu;

    /// <summary>Timer queue of this CPU (a <c>TimerQueue*</c>).</summary>
    [FieldOffset(0x238)]
    public void* TimerQueue;

    /// <summary>Time base of this CPU (a <c>CpuTime*</c>).</summary>
    [FieldOffset(0x240)]
    public void* Time;

    /// <summary>State of the vCPU whose registers were last loaded into the FPU, GDT and LDT of this CPU.</summary>
    [FieldOffset(0x248)]
    public void* Loaded;

    [FieldOffset(0x250)]
    public uint LocalApicId;

    /// <summary>Level-1 entries that map this CPU's block (a <c>ulong*</c>).</summary>
    [FieldOffset(0x258)]
    public void* BlockTable;

    /// <summary>Flush clock when this CPU's last complete TLB flush began.</summary>
    [FieldOffset(0x254)]
    public uint FlushStamp;

    /// <summary>Not zero: another CPU waits for this one to flush (<c>TlbFlush.Serve</c>).</summary>
    [FieldOffset(0x264)]
    public int FlushWanted;

    /// <summary>Entries ever recorded, and the last sixteen of three words each (<see cref="Trace"/>).</summary>
    [FieldOffset(0x260)]
    public uint TraceNext;

    /// <summary>This CPU's record of the lock-up watch, or null (a <c>WatchedCpu*</c>).</summary>
    [FieldOffset(0x268)]
    public void* Watch;

    [FieldOffset(0x280)]
    public fixed ulong TraceRing[48];
}
