// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Traps;

/// <summary>Fetches the instruction that a guest stopped at.</summary>
public static unsafe class CodeBytes
{
    /// <summary>Up to 15 bytes at <paramref name="address"/> into <paramref name="code"/> (room for 16); how many there were.</summary>
    public static int Read(ulong address, byte* code)
    {
        if (!GuestMemory.IsOutsideHole(address, 16))
        {
            return 0;
        }

        if (Machine.ReadGuestWords((ulong*)code, address, 2))
        {
            return 15;
        }

        return 15 - (int)Machine.CopyFromGuest(code, address, 15);
    }
}
