// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core.Control;

/// <summary>Bit maps in the tools' memory, of any length; the hypervisor's have 64 bits.</summary>
public static unsafe class ControlBitmap
{
    /// <summary>The first 64 bits; further ones are ignored, missing ones are zero.</summary>
    public static Errno Read(in XenCtlBitmap map, out ulong bits)
    {
        ulong value = 0;
        uint count = map.NrBits < 64 ? map.NrBits : 64;
        bool read = GuestMemory.Read(map.Bitmap, &value, (count + 7) / 8);
        bits = count == 64 ? value : value & ((1UL << (int)count) - 1);
        return read ? Errno.Ok : Errno.Fault;
    }

    /// <summary>Writes the first <paramref name="known"/> bits, and zeros into the rest of the caller's
    /// map.</summary>
    public static Errno Write(in XenCtlBitmap map, ulong bits, uint known)
    {
        bits = known < 64 ? bits & ((1UL << (int)known) - 1) : bits;
        bits = map.NrBits < 64 ? bits & ((1UL << (int)map.NrBits) - 1) : bits;
        ulong bytes = ((ulong)map.NrBits + 7) / 8;
        ulong zero = 0;
        for (ulong offset = 0; offset < bytes; offset += 8)
        {
            ulong part = bytes - offset < 8 ? bytes - offset : 8;
            if (!GuestMemory.Write(map.Bitmap + offset, offset == 0 ? &bits : &zero, (nuint)part))
            {
                return Errno.Fault;
            }
        }

        return Errno.Ok;
    }
}
