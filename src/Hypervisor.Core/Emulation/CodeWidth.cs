// SPDX-License-Identifier: MIT
namespace Hypervisor.Core.Emulation;

/// <summary>The kind of code segment that an instruction is fetched from.</summary>
public enum CodeWidth : byte
{
    Bits64, // CS.L = 1
    Bits32, // compatibility mode, CS.L = 0 and CS.D = 1
}
