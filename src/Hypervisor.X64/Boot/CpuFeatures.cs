// SPDX-License-Identifier: MIT

using Hypervisor.Core;

namespace Hypervisor.X64.Boot;

/// <summary>What the first CPU has, and the control registers that follow from it.</summary>
public static unsafe class CpuFeatures
{
    private const ulong PageAttributeTable = 0x0000_0501_0007_0406;

    // x87, SSE, AVX and the three AVX-512 parts: what guests may be given.
    private const ulong OfferedXcr0 = 0xE7;

    private static ulong s_cr4;
    private static ulong s_xcr0;

    public static bool HasNoExecute { get; private set; }

    public static bool HasGigabytePages { get; private set; }

    public static bool HasTscAux { get; private set; }

    public static int PhysicalAddressBits { get; private set; }

    public static void Detect()
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(0, 0, registers);
        uint lastLeaf = registers[0];
        Machine.Cpuid(1, 0, registers);
        bool hasXsave = (registers[2] & (1 << 26)) != 0;
        s_cr4 = Cr4.Pae | Cr4.Pge | Cr4.Mce | Cr4.OsFxsr | Cr4.OsXmmExcept | Cr4.De;
        if (lastLeaf >= 7)
        {
            Machine.Cpuid(7, 0, registers);
            s_cr4 |= (registers[1] & (1 << 0)) != 0 ? Cr4.FsGsBase : 0;
            s_cr4 |= (registers[1] & (1 << 7)) != 0 ? Cr4.Smep : 0;
        }

        if (hasXsave)
        {
            s_cr4 |= Cr4.OsXsave;
            Machine.Cpuid(0xD, 0, registers);
            s_xcr0 = (((ulong)registers[3] << 32) | registers[0]) & OfferedXcr0;
        }

        Machine.Cpuid(0x80000000, 0, registers);
        uint lastExtended = registers[0];
        Machine.Cpuid(0x80000001, 0, registers);
        HasNoExecute = (registers[3] & (1 << 20)) != 0;
        HasGigabytePages = (registers[3] & (1 << 26)) != 0;
        HasTscAux = (registers[3] & (1 << 27)) != 0;
        PhysicalAddressBits = 36;
        if (lastExtended >= 0x80000008)
        {
            Machine.Cpuid(0x80000008, 0, registers);
            PhysicalAddressBits = (int)(registers[0] & 0xFF);
        }
    }

    /// <summary>Sets CR4, PAT and XCR0 of the running CPU, and what depends on them.</summary>
    public static void EnableOnThisCpu()
    {
        Machine.WriteCr4(s_cr4);
        Machine.WriteMsr(Msr.Pat, PageAttributeTable);
        uint size = 512;
        if (s_xcr0 != 0)
        {
            Machine.WriteXcr0(s_xcr0);
            uint* registers = stackalloc uint[4];
            Machine.Cpuid(0xD, 0, registers);
            size = registers[1];
        }

        ExtendedState.Initialise(size, s_xcr0);
        ContextSwitch.Initialise(s_cr4, HasTscAux);
    }
}
