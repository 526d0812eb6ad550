// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>What <see cref="InstructionDecoder.Decode"/> made of the bytes.</summary>
public enum DecodeStatus : byte
{
    Ok,
    Unsupported, // not an instruction that is emulated, or none at all
    Truncated, // the bytes at hand end before the instruction does; more of them might make it one
}
