// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>The instructions that are emulated for a paravirtual guest, named by their mnemonics.</summary>
/// <remarks>
/// Everything from <see cref="Mov"/> to <see cref="Movs"/> writes memory and is what <see cref="PageTableWrite"/>
/// evaluates; the rest is what faults at CPL 3 and has a meaning for a guest kernel.
/// </remarks>
public enum InstructionKind : byte
{
    Unsupported,

    Mov,
    Xchg,
    Cmpxchg,
    Cmpxchg8b,
    Cmpxchg16b, // recognised so that the refusal can be told from an unknown opcode
    Xadd,
    Add,
    Or,
    And,
    Sub,
    Xor,
    Bts,
    Btr,
    Btc,
    Stos,
    Movs,

    In,
    Out,
    Ins,
    Outs,
    Cli,
    Sti,
    Hlt,
    Invd,
    Wbinvd, // and WBNOINVD, which older processors execute as WBINVD
    Clts,
    MovFromControl,
    MovToControl,
    MovFromDebug,
    MovToDebug,
    Rdmsr,
    Wrmsr,
    Rdtsc,
    Rdtscp,
    Rdpmc,
    Xgetbv,
    Xsetbv,
    Invlpg,
    Lmsw,
    Smsw,
    Sgdt,
    Sidt,
    Sldt,
    Str,
    Lgdt, // this one and the next three have hypercalls in their stead: always #GP
    Lidt,
    Lldt,
    Ltr,
    Swapgs,
    Cpuid,
    ForcedCpuid, // UD2, "xen", CPUID
    Rdfsbase,
    Rdgsbase,
    Wrfsbase,
    Wrgsbase,
}
