// SPDX-License-Identifier: MIT

using System;
using System.Runtime;
using System.Runtime.CompilerServices;

namespace Hypervisor;

public static unsafe partial class Machine
{
    /// <summary>The hypervisor's own view of physical memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* Direct(ulong physicalAddress) => (void*)(MemoryLayout.DirectMap + physicalAddress);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void* Direct(Mfn mfn) => (void*)(MemoryLayout.DirectMap + mfn.Address);

    /// <summary>The physical address behind a pointer that <see cref="Direct(ulong)"/> gave.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong PhysicalOf(void* direct) => (ulong)direct - MemoryLayout.DirectMap;

    /// <summary>First byte of the frame table, an array of 32-byte entries indexed by frame number.</summary>
    public static void* FrameTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (void*)MemoryLayout.FrameTable;
    }

    /// <summary>The machine-to-physical table, writable view.</summary>
    public static ulong* MachineToPhysical
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (ulong*)MemoryLayout.MachineToPhysical;
    }

    /// <summary>Copies from the current guest's address space; returns the number of bytes that could not be read.</summary>
    /// <remarks>Precondition: the range lies outside the hypervisor's hole (<c>GuestMemory</c> checks it).</remarks>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_copy_from")]
    public static extern nuint CopyFromGuest(void* target, ulong source, nuint length);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_copy_to")]
    public static extern nuint CopyToGuest(ulong target, void* source, nuint length);

    /// <summary>Reads a fixed number of bytes; false when one cannot be read. <c>GuestMemory</c> chooses by size.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_4")]
    public static extern bool ReadGuest4(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_8")]
    public static extern bool ReadGuest8(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_16")]
    public static extern bool ReadGuest16(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_24")]
    public static extern bool ReadGuest24(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_32")]
    public static extern bool ReadGuest32(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_40")]
    public static extern bool ReadGuest40(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_48")]
    public static extern bool ReadGuest48(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_56")]
    public static extern bool ReadGuest56(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_64")]
    public static extern bool ReadGuest64(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_72")]
    public static extern bool ReadGuest72(void* target, ulong source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_80")]
    public static extern bool ReadGuest80(void* target, ulong source);

    /// <summary>Writes a fixed number of bytes; false when one cannot be written.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_write_4")]
    public static extern bool WriteGuest4(ulong target, void* source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_write_8")]
    public static extern bool WriteGuest8(ulong target, void* source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_write_16")]
    public static extern bool WriteGuest16(ulong target, void* source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_write_24")]
    public static extern bool WriteGuest24(ulong target, void* source);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_write_32")]
    public static extern bool WriteGuest32(ulong target, void* source);

    /// <summary>Reads the nine words of an iret frame: rax, r11, rcx, rip and rsp into <paramref name="frame"/>, flags, cs, rflags and
    /// ss into <paramref name="rest"/>; false on a fault, with some of it done.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_load_iret")]
    public static extern bool LoadIretFrame(Xen.Abi.CpuUserRegs* frame, ulong stack, ulong* rest);

    /// <summary>Pushes a bounce frame at <paramref name="stack"/>: rcx, r11, error code (or not), rip, <paramref name="cs"/>,
    /// <paramref name="flags"/>, rsp, ss, the unnamed ones from <paramref name="frame"/>; false on a fault.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_push_bounce")]
    public static extern bool PushBounceFrame(
        Xen.Abi.CpuUserRegs* frame, ulong stack, ulong cs, ulong flags, ulong error, bool hasError);

    /// <summary>Compares and exchanges eight bytes that may be the guest's to unmap: 0 done, 1 changed meanwhile
    /// (<paramref name="expected"/> gets the value found), 2 fault.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_compare_exchange64")]
    public static extern int CompareExchangeGuest(ulong address, ulong* expected, ulong replacement);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint ReadDevice32(void* address) => System.Threading.Volatile.Read(ref *(uint*)address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteDevice32(void* address, uint value) =>
        System.Threading.Volatile.Write(ref *(uint*)address, value);
}
