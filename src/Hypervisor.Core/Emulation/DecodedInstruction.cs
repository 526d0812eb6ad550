// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>One instruction, as <see cref="InstructionDecoder.Decode"/> leaves it.</summary>
public struct DecodedInstruction
{
    /// <summary>Value of <see cref="Base"/> and <see cref="Index"/> where there is none.</summary>
    public const byte NoRegister = 16;

    /// <summary>Value of <see cref="Base"/> for addresses relative to the next instruction.</summary>
    public const byte RipRegister = 17;

    public InstructionKind Kind;
    public byte Length;

    /// <summary>Bytes that the operation moves: 1, 2, 4 or 8 (16 for CMPXCHG16B, 10 for SGDT and SIDT).</summary>
    public byte OperandSize;

    /// <summary>8, or 4 under an address-size prefix.</summary>
    public byte AddressSize;

    public InstructionFlags Flags;

    /// <summary>Segment of the memory operand.</summary>
    public SegmentOverride Segment;

    /// <summary>Segment that MOVS reads from; its memory operand proper is the destination.</summary>
    public SegmentOverride SourceSegment;

    public byte Base;
    public byte Index;

    /// <summary>Binary logarithm of the factor of <see cref="Index"/>.</summary>
    public byte Scale;

    /// <summary>
    /// The register operand, numbered as in ModRM with REX: the source of a write, the general register beside a
    /// control or debug register, the target of SMSW, SLDT, STR and the source of LMSW where these name no memory.
    /// </summary>
    public byte Register;

    /// <summary>Number of the control or debug register.</summary>
    public byte SystemRegister;

    public int Displacement;

    /// <summary>Sign-extended immediate operand, port number or bit offset.</summary>
    public int Immediate;

    public readonly bool Has(InstructionFlags flag) => (Flags & flag) != 0;
}
