// SPDX-License-Identifier: MIT

using System;
using Hypervisor.Core;
using Hypervisor.Core.Boot;
using Hypervisor.Core.Control;
using Hypervisor.Core.Emulation;
using Hypervisor.Core.Time;
using Hypervisor.X64.Apic;

namespace Hypervisor.X64.Boot;

/// <summary>What the first CPU has, and the control registers that follow from it.</summary>
public static unsafe class CpuFeatures
{
    private const ulong PageAttributeTable = 0x0000_0501_0007_0406;

    // x87, SSE, AVX and the three AVX-512 parts: what guests may be given.
    private const ulong OfferedXcr0 = 0xE7;

    private const uint ArchCapabilities = 0x10A;
    private const ulong RogueDataCacheLoadNo = 1;

    private static ulong s_cr4;
    private static ulong s_xcr0;

    public static bool HasNoExecute { get; private set; }

    public static bool HasGigabytePages { get; private set; }

    /// <summary>User pages are closed to the hypervisor but for its guest memory routines.</summary>
    public static bool HasSmap => (s_cr4 & Cr4.Smap) != 0;

    public static bool HasTscAux { get; private set; }

    /// <summary>The indirect branch prediction barrier (IBPB).</summary>
    public static bool HasPredictionBarrier { get; private set; }

    public static int PhysicalAddressBits { get; private set; }

    /// <summary>Asks the first CPU; <paramref name="options"/> may forbid what it has.</summary>
    public static void Detect(BootOptions* options)
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
            s_cr4 |= (registers[1] & (1 << 7)) != 0 && options->UseSmep ? Cr4.Smep : 0;
            s_cr4 |= (registers[1] & (1 << 20)) != 0 && options->UseSmap ? Cr4.Smap : 0;
            HasPredictionBarrier = (registers[3] & (1 << 26)) != 0;
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
            HasPredictionBarrier |= (registers[1] & (1 << 12)) != 0;
        }
    }

    /// <summary>
    /// True on processors that let ring 3 read what ring 0 has mapped (Meltdown) and what absent entries name (L1 terminal
    /// fault): Intel's, unless IA32_ARCH_CAPABILITIES says otherwise (RDCL_NO; Intel SDM Vol. 4, Table 2-2).
    /// </summary>
    public static bool LeaksCache()
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(0, 0, registers);
        bool isIntel = registers[1] == 0x756E_6547 && registers[3] == 0x4965_6E69 && registers[2] == 0x6C65_746E;
        if (!isIntel)
        {
            return false;
        }

        bool hasCapabilities = false;
        if (registers[0] >= 7)
        {
            Machine.Cpuid(7, 0, registers);
            hasCapabilities = (registers[3] & (1 << 29)) != 0;
        }

        return !hasCapabilities || (Machine.ReadMsr(ArchCapabilities) & RogueDataCacheLoadNo) == 0;
    }

    /// <summary>The performance counters that the first CPU states.</summary>
    public static CounterKind CounterKind
    {
        get
        {
            uint* registers = stackalloc uint[4];
            CpuVendor vendor = CpuidPolicy.Vendor(SystemPolicies.Host);
            CpuidResult* basic = CpuPolicy.At(SystemPolicies.Host, 0);
            Machine.Cpuid(0xA, 0, registers);
            return CycleCounter.Choose(
                vendor, CpuSignature.Read().Family, basic->A >= 0xA ? registers[0] : 0, registers[1]);
        }
    }

    /// <summary>Names what is in use and the processor does not have; empty: it has all.</summary>
    public static ReadOnlySpan<byte> FindLack(CpuPolicy* cpu) => CpuidPolicy.FindLack(
        SystemPolicies.Host, cpu, s_cr4, s_xcr0, LocalApic.IsX2Mode, LocalApic.HasDeadlineTimer);

    /// <summary>Option <c>cpuinfo</c>: what the CPU is and has.</summary>
    public static void Print(CpuInfo* cpu, CpuPolicy* policy)
    {
        if (!BootData.Options->CpuInfo)
        {
            return;
        }

        CpuSignature signature = CpuSignature.Of(CpuPolicy.At(policy, 1)->A);
        CpuidResult* name = CpuPolicy.At(policy, 0);
        Log.Info("CPU "u8).Decimal(cpu->CpuId).Text(": "u8)
            .Text(new ReadOnlySpan<byte>(&name->B, 4)).Text(new ReadOnlySpan<byte>(&name->D, 4))
            .Text(new ReadOnlySpan<byte>(&name->C, 4))
            .Text(" family "u8).Decimal(signature.Family).Text(" model "u8).Decimal(signature.Model)
            .Text(" stepping "u8).Decimal(signature.Stepping).Text(", local APIC "u8).Decimal(cpu->LocalApicId).End();
        LogLine line = Log.Info("CPU "u8).Decimal(cpu->CpuId).Text(": features"u8);
        for (int word = 0; word < PvFeatures.WordCount; word++)
        {
            line = line.Text(word == 0 ? " "u8 : ":"u8).Hex(CpuidPolicy.FeatureWord(policy, word), 8);
        }

        line.End();
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
        ContextSwitch.Initialise(s_cr4, HasTscAux, HasPredictionBarrier);
    }
}
