// SPDX-License-Identifier: MIT
// Every access to memory that a guest names by a virtual address. The address is the guest's allegation: all that is
// checked beforehand is that it lies outside the hypervisor's hole; what is not mapped, read-only or not canonical
// faults in the copy routine, which then reports how much is missing.

using System.Runtime.CompilerServices;

namespace Hypervisor.Core;

/// <summary>Copies between the hypervisor and the address space of the guest that runs.</summary>
public static unsafe class GuestMemory
{
    /// <summary>True when no byte of the range lies in the hypervisor's hole or wraps around.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsOutsideHole(ulong address, ulong length)
    {
        ulong end = address + length;
        return end >= address && (end <= MemoryLayout.HypervisorStart || address >= MemoryLayout.HypervisorEnd);
    }

    /// <summary>Reads one structure; false (EFAULT) when any byte cannot be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Read<T>(ulong address, T* target)
        where T : unmanaged => Read(address, target, (nuint)sizeof(T));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Write<T>(ulong address, T* source)
        where T : unmanaged => Write(address, source, (nuint)sizeof(T));

    /// <summary>Reads element <paramref name="index"/> of an array of structures at <paramref name="array"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadElement<T>(ulong array, ulong index, T* target)
        where T : unmanaged =>
        index <= 0xFFFF_FFFF && Read(array + (index * (ulong)sizeof(T)), target, (nuint)sizeof(T));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteElement<T>(ulong array, ulong index, T* source)
        where T : unmanaged =>
        index <= 0xFFFF_FFFF && Write(array + (index * (ulong)sizeof(T)), source, (nuint)sizeof(T));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Read(ulong address, void* target, nuint length)
    {
        if (!IsOutsideHole(address, length))
        {
            return false;
        }

        return (length & 7) == 0 && length <= 64
            ? Machine.ReadGuestWords((ulong*)target, address, length >> 3)
            : Machine.CopyFromGuest(target, address, length) == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Write(ulong address, void* source, nuint length)
    {
        if (!IsOutsideHole(address, length))
        {
            return false;
        }

        return (length & 7) == 0 && length <= 64
            ? Machine.WriteGuestWords(address, (ulong*)source, length >> 3)
            : Machine.CopyToGuest(address, source, length) == 0;
    }
}
