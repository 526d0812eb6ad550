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

    /// <summary>As <see cref="IsOutsideHole"/> for a length known to the compiler: what begins below the hole must end there;
    /// what begins above it may wrap to address 0, which is the guest's again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsGuests(ulong address, ulong length) =>
        address >= MemoryLayout.HypervisorEnd || address <= MemoryLayout.HypervisorStart - length;

    /// <summary>Reads one structure; false (EFAULT) when any byte cannot be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Read<T>(ulong address, T* target)
        where T : unmanaged => IsGuests(address, (ulong)sizeof(T)) && ReadSize(address, target, sizeof(T));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Write<T>(ulong address, T* source)
        where T : unmanaged => IsGuests(address, (ulong)sizeof(T)) && WriteSize(address, source, sizeof(T));

    /// <summary>Reads element <paramref name="index"/> of an array of structures at <paramref name="array"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ReadElement<T>(ulong array, ulong index, T* target)
        where T : unmanaged => index <= 0xFFFF_FFFF && Read(array + (index * (ulong)sizeof(T)), target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteElement<T>(ulong array, ulong index, T* source)
        where T : unmanaged => index <= 0xFFFF_FFFF && Write(array + (index * (ulong)sizeof(T)), source);

    /// <summary>A length that is known at run time only.</summary>
    public static bool Read(ulong address, void* target, nuint length) =>
        IsOutsideHole(address, length) && Machine.CopyFromGuest(target, address, length) == 0;

    public static bool Write(ulong address, void* source, nuint length) =>
        IsOutsideHole(address, length) && Machine.CopyToGuest(address, source, length) == 0;

    // The size is a constant where these are inlined, so that one routine is left of each.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool ReadSize(ulong address, void* target, int size) => size switch
    {
        4 => Machine.ReadGuest4(target, address),
        8 => Machine.ReadGuest8(target, address),
        16 => Machine.ReadGuest16(target, address),
        24 => Machine.ReadGuest24(target, address),
        32 => Machine.ReadGuest32(target, address),
        40 => Machine.ReadGuest40(target, address),
        48 => Machine.ReadGuest48(target, address),
        56 => Machine.ReadGuest56(target, address),
        64 => Machine.ReadGuest64(target, address),
        72 => Machine.ReadGuest72(target, address),
        80 => Machine.ReadGuest80(target, address),
        _ => Machine.CopyFromGuest(target, address, (nuint)size) == 0,
    };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool WriteSize(ulong address, void* source, int size) => size switch
    {
        4 => Machine.WriteGuest4(address, source),
        8 => Machine.WriteGuest8(address, source),
        16 => Machine.WriteGuest16(address, source),
        24 => Machine.WriteGuest24(address, source),
        32 => Machine.WriteGuest32(address, source),
        _ => Machine.CopyToGuest(address, source, (nuint)size) == 0,
    };
}
