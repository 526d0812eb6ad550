// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>EAX, EBX, ECX and EDX as CPUID leaves them.</summary>
public struct CpuidResult
{
    public uint A;
    public uint B;
    public uint C;
    public uint D;
}
