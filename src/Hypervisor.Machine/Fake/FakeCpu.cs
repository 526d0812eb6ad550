// SPDX-License-Identifier: MIT

using System.Collections.Generic;

namespace Hypervisor;

/// <summary>One processor of the fake machine: its registers, and what was done to it.</summary>
public sealed unsafe class FakeCpu
{
    public FakeCpu(uint number, byte* block)
    {
        Number = number;
        Info = (CpuInfo*)(block + MemoryLayout.PerCpuInfo);
        Info->BlockTable = (void*)(block + (1UL << MemoryLayout.PerCpuShift));
        Info->CpuId = number;
        Info->LocalApicId = number;
    }

    public uint Number { get; }

    /// <summary>The block that <see cref="Machine.Cpu"/> gives while a test runs on this CPU.</summary>
    public CpuInfo* Info { get; }

    public ulong Cr0 { get; set; }

    public ulong Cr2 { get; set; }

    public ulong Cr3 { get; set; }

    public ulong Cr4 { get; set; }

    public ulong Xcr0 { get; set; }

    public ulong[] DebugRegisters { get; } = new ulong[8];

    /// <summary>Registers that exist; any other is refused.</summary>
    public Dictionary<uint, ulong> Msrs { get; } = [];

    /// <summary>Stands in for registers that change by themselves: called before each read.</summary>
    public System.Action<uint> OnReadMsr { get; set; }

    /// <summary>What XSAVE and FXSAVE store: 512 bytes of legacy image, then whatever the test puts there.</summary>
    public byte[] ExtendedState { get; } = new byte[4096];

    public ulong Gdt { get; set; }

    public ulong Idt { get; set; }

    public ushort Ldt { get; set; }

    public ushort TaskRegister { get; set; }

    public ushort Ds { get; set; }

    public ushort Es { get; set; }

    public ushort Fs { get; set; }

    public ushort Gs { get; set; }

    /// <summary>Selectors whose loading the processor refuses.</summary>
    public HashSet<ushort> RefusedSelectors { get; } = [];

    /// <summary>Address and number of entries of the last local descriptor table loaded.</summary>
    public (ulong Address, uint Entries) LocalDescriptorTable { get; set; }

    /// <summary>TSC value that the one-shot timer is armed for; 0 when it is not.</summary>
    public ulong ArmedTimer { get; set; }

    public int TimerArmings { get; set; }

    public int Kicks { get; set; }

    public int Cr3Writes { get; set; }

    public int InterruptWindows { get; set; }

    public int Idles { get; set; }

    public int Pauses { get; set; }

    public int Fences { get; set; }

    public int SwapGsCount { get; set; }

    public List<ulong> InvalidatedPages { get; } = [];

    /// <summary>What a segment register holds after an attempt to load <paramref name="selector"/>.</summary>
    internal ushort Accept(ushort selector, out bool accepted)
    {
        accepted = !RefusedSelectors.Contains(selector);
        return accepted ? selector : (ushort)0;
    }
}
