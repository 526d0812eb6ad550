// SPDX-License-Identifier: MIT

using System.Runtime.CompilerServices;

namespace Hypervisor;

/// <summary>A machine frame number: a 4 KiB frame of the real machine's physical memory.</summary>
public readonly struct Mfn
{
    public readonly ulong Raw;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Mfn(ulong raw) => Raw = raw;

    /// <summary>No frame; past the end of every frame table.</summary>
    public static Mfn None
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(0xFFFFFFFFFFUL);
    }

    public bool IsNone
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Raw == 0xFFFFFFFFFFUL;
    }

    /// <summary>The physical address of the frame's first byte.</summary>
    public ulong Address
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Raw << MemoryLayout.PageShift;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Mfn OfAddress(ulong physicalAddress) => new(physicalAddress >> MemoryLayout.PageShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Mfn operator +(Mfn mfn, ulong frames) => new(mfn.Raw + frames);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool operator ==(Mfn left, Mfn right) => left.Raw == right.Raw;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool operator !=(Mfn left, Mfn right) => left.Raw != right.Raw;

    public override bool Equals(object other) => false;

    public override int GetHashCode() => (int)Raw;
}
