// SPDX-License-Identifier: MIT

using Hypervisor.Core.Emulation;
using Xen.Abi;

namespace Hypervisor.Core.Traps;

/// <summary>Fetches the instruction that a guest stopped at.</summary>
public static unsafe class CodeBytes
{
    // 32-bit user code: the interface's flat selector, and the one that Linux keeps in its own GDT.
    private const ushort FlatCode32 = 0xE023;
    private const ushort LinuxCode32 = 0x23;

    /// <summary>Kernels run 64-bit code; user code is told by its selector.</summary>
    public static CodeWidth WidthOf(Vcpu* vcpu, CpuUserRegs* frame) =>
        !vcpu->InKernelMode && (frame->Cs is FlatCode32 or LinuxCode32) ? CodeWidth.Bits32 : CodeWidth.Bits64;

    /// <summary>Up to 15 bytes at <paramref name="address"/> into <paramref name="code"/> (room for 16); how many there were.</summary>
    public static int Read(ulong address, byte* code)
    {
        if (GuestMemory.Read(address, (CodeBuffer*)code))
        {
            return 15;
        }

        // The end of the last page that there is.
        if (!GuestMemory.IsOutsideHole(address, 15))
        {
            return 0;
        }

        return 15 - (int)Machine.CopyFromGuest(code, address, 15);
    }
}
