// SPDX-License-Identifier: MIT

namespace Hypervisor.Core.Traps;

/// <summary>Room for one instruction.</summary>
public struct CodeBuffer
{
    public ulong Low;
    public ulong High;
}
