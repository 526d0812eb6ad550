// SPDX-License-Identifier: MIT
// SMAP forbids ring 0 to touch user pages unless RFLAGS.AC is set (Intel SDM Vol. 3A §4.6). Hypervisor code runs with AC
// clear: SYSCALL masks it, the other entries clear it by CLAC, and nothing but the twins of the guest memory routines
// (boot/guest_memory.asm) sets it, for as long as the copy lasts. A processor without SMAP knows neither instruction,
// so the image is built for such a one and changed at boot, while the boot stub's tables still let code be written:
//
//   sites       three-byte no-ops in the entry stubs, which become CLAC
//   routines    pairs (plain routine, twin): the plain one's first bytes become a jump to the twin

namespace Hypervisor.Core.Boot;

/// <summary>Makes the image one for processors with SMAP.</summary>
public static unsafe class SmapPatches
{
    private const byte NearJump = 0xE9;
    private const int NearJumpLength = 5;

    /// <summary>Applies both tables. Before any other CPU runs, and while the code is writable.</summary>
    public static void Apply(ulong* sites, ulong* sitesEnd, ulong* routines, ulong* routinesEnd)
    {
        for (; sites < sitesEnd; sites++)
        {
            byte* code = (byte*)*sites;
            code[0] = 0x0F;
            code[1] = 0x01;
            code[2] = 0xCA; // CLAC
        }

        for (; routines < routinesEnd; routines += 2)
        {
            byte* code = (byte*)routines[0];
            *(int*)(code + 1) = (int)(routines[1] - (routines[0] + NearJumpLength));
            code[0] = NearJump;
        }
    }
}
