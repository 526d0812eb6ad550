// SPDX-License-Identifier: MIT

namespace Xen.Abi;

/// <summary>
/// <c>VIRQ_*</c>: interrupt sources that have no device; "per vCPU" ones bind once a vCPU, others once a domain.
/// </summary>
public enum VirtualIrq : uint
{
    /// <summary><c>VIRQ_TIMER</c>: per vCPU, the timer of that vCPU expired.</summary>
    Timer = 0,

    /// <summary><c>VIRQ_DEBUG</c>: per vCPU, a dump of guest state is asked for.</summary>
    Debug = 1,

    /// <summary><c>VIRQ_CONSOLE</c>: Domain-0, input on the console.</summary>
    Console = 2,

    /// <summary><c>VIRQ_DOM_EXC</c>: Domain-0, some domain shut down, crashed or died.</summary>
    DomExc = 3,

    /// <summary><c>VIRQ_TBUF</c>.</summary>
    TBuf = 4,

    /// <summary><c>VIRQ_DEBUGGER</c>.</summary>
    Debugger = 6,

    /// <summary><c>VIRQ_XENOPROF</c>: per vCPU.</summary>
    XenoProf = 7,

    /// <summary><c>VIRQ_CON_RING</c>: Domain-0, output on the console.</summary>
    ConRing = 8,

    /// <summary><c>VIRQ_PCPU_STATE</c>: Domain-0, a physical CPU came or went.</summary>
    PCpuState = 9,

    /// <summary><c>VIRQ_MEM_EVENT</c>.</summary>
    MemEvent = 10,

    /// <summary><c>VIRQ_ARGO</c>.</summary>
    Argo = 11,

    /// <summary><c>VIRQ_ENOMEM</c>.</summary>
    Enomem = 12,

    /// <summary><c>VIRQ_XENPMU</c>: per vCPU, performance counter.</summary>
    XenPmu = 13,

    /// <summary><c>VIRQ_ARCH_0</c>, <c>VIRQ_MCA</c>: Domain-0, a machine check was logged.</summary>
    Mca = 16,

    /// <summary><c>VIRQ_ARCH_1</c>.</summary>
    Arch1 = 17,

    /// <summary><c>VIRQ_ARCH_2</c>.</summary>
    Arch2 = 18,

    /// <summary><c>VIRQ_ARCH_3</c>.</summary>
    Arch3 = 19,

    /// <summary><c>VIRQ_ARCH_4</c>.</summary>
    Arch4 = 20,

    /// <summary><c>VIRQ_ARCH_5</c>.</summary>
    Arch5 = 21,

    /// <summary><c>VIRQ_ARCH_6</c>.</summary>
    Arch6 = 22,

    /// <summary><c>VIRQ_ARCH_7</c>.</summary>
    Arch7 = 23,
}

/// <summary><c>NR_VIRQS</c>: bound of <see cref="VirtualIrq"/>.</summary>
public static class VirtualIrqLimits
{
    /// <summary><c>NR_VIRQS</c>.</summary>
    public const uint Count = 24;
}
