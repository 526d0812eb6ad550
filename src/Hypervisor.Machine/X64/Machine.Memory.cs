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

    /// <summary>Reads <paramref name="count"/> eight-byte words; false when one cannot be read.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_read_words")]
    public static extern bool ReadGuestWords(ulong* target, ulong source, nuint count);

    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_write_words")]
    public static extern bool WriteGuestWords(ulong target, ulong* source, nuint count);

    /// <summary>Writes a bounce frame at <paramref name="stack"/>, with or without its error code; false on a fault.</summary>
    [MethodImpl(MethodImplOptions.InternalCall)]
    [RuntimeImport("*", "guest_write_bounce_frame")]
    public static extern bool WriteBounceFrame(ulong stack, BounceFrame* frame, bool hasError);

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
