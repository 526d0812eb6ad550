// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>What a guest's RDMSR or WRMSR comes to.</summary>
public enum MsrAction : byte
{
    /// <summary>#GP(0) for the guest.</summary>
    Fault,

    /// <summary>RDMSR: the value that came with it.</summary>
    Known,

    /// <summary>RDMSR: what the machine's MSR holds; #GP if it has none.</summary>
    Host,

    /// <summary>WRMSR: succeeds without any effect.</summary>
    Ignore,

    /// <summary>WRMSR of PRED_CMD: an indirect branch prediction barrier.</summary>
    PredictionBarrier,

    /// <summary>WRMSR: fill the frame of this page address with hypercall stubs.</summary>
    HypercallPage,

    /// <summary>RDMSR: the guest's time stamp counter.</summary>
    Tsc,

    // State of the vCPU, to be read or set; what is to be set has been checked.
    FsBase,
    GsBase,
    KernelGsBase,
    TscAux,
    SpecCtrl,
}
