// SPDX-License-Identifier: MIT
using System;

namespace Hypervisor.Core.Emulation;

/// <summary>Prefixes and operand shape of a <see cref="DecodedInstruction"/>.</summary>
[Flags]
public enum InstructionFlags : byte
{
    None = 0,
    Lock = 1 << 0,
    Rep = 1 << 1, // F3, or F2 before MOVS, STOS, INS and OUTS, where both repeat
    HighByte = 1 << 2, // Register names AH, CH, DH or BH by the number of the full register
    Immediate = 1 << 3, // the source operand, port or bit offset is Immediate and not Register
    Memory = 1 << 4, // EffectiveAddress has a meaning
    BitString = 1 << 5, // Register is a bit offset that reaches beyond the operand
}
