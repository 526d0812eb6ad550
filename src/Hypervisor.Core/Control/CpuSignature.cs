// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Control;

/// <summary>Family, model and stepping of the processor.</summary>
public unsafe struct CpuSignature
{
    public uint Family;
    public uint Model;
    public uint Stepping;

    /// <summary>Asks the processor.</summary>
    public static CpuSignature Read()
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(1, 0, registers);
        return Of(registers[0]);
    }

    /// <summary>Takes EAX of CPUID leaf 1 apart (Intel SDM Vol. 2A): the extended fields count only for families 6 and
    /// 15.</summary>
    public static CpuSignature Of(uint signature)
    {
        uint family = (signature >> 8) & 0xF;
        uint model = (signature >> 4) & 0xF;
        CpuSignature result;
        result.Family = family == 0xF ? family + ((signature >> 20) & 0xFF) : family;
        result.Model = family is 6 or 0xF ? model | ((signature >> 12) & 0xF0) : model;
        result.Stepping = signature & 0xF;
        return result;
    }
}
