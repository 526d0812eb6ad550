// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Control;

/// <summary>Family, model and stepping of the processor.</summary>
public unsafe struct CpuSignature
{
    public uint Family;
    public uint Model;
    public uint Stepping;

    /// <summary>Asks the processor (Intel SDM Vol. 2A, CPUID leaf 1): the extended fields count only for families 6 and
    /// 15.</summary>
    public static CpuSignature Read()
    {
        uint* registers = stackalloc uint[4];
        Machine.Cpuid(1, 0, registers);
        uint signature = registers[0];
        uint family = (signature >> 8) & 0xF;
        uint model = (signature >> 4) & 0xF;
        CpuSignature result;
        result.Family = family == 0xF ? family + ((signature >> 20) & 0xFF) : family;
        result.Model = family is 6 or 0xF ? model | ((signature >> 12) & 0xF0) : model;
        result.Stepping = signature & 0xF;
        return result;
    }
}
