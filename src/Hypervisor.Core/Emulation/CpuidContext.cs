// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>What CPUID's answer depends on beside the policy: the state of the vCPU and the clock of its
/// domain.</summary>
public struct CpuidContext
{
    public uint VcpuId;

    /// <summary>CR4.OSXSAVE as the guest has it.</summary>
    public bool OsXsave;

    /// <summary>Width of machine addresses, memory that may yet be plugged included.</summary>
    public byte MachineAddressBits;

    /// <summary>XCR0 of the vCPU.</summary>
    public ulong Xcr0;

    /// <summary>RDTSC of the domain is emulated.</summary>
    public bool TscEmulated;

    /// <summary>The machine's time stamp counters agree and never stop.</summary>
    public bool TscReliable;

    /// <summary><c>TSC_MODE_*</c> of the domain.</summary>
    public uint TscMode;
    public uint TscGuestKhz;
    public uint TscHostKhz;
    public uint TscIncarnation;

    /// <summary>Guest TSC minus host TSC, and the conversion to nanoseconds as in vcpu_time_info.</summary>
    public ulong TscOffset;
    public uint TscMultiplier;
    public int TscShift;
}
