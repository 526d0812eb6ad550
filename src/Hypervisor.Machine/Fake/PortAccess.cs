// SPDX-License-Identifier: MIT

namespace Hypervisor;

/// <summary>A write to a port of the fake machine.</summary>
/// <param name="Bytes">1, 2 or 4.</param>
public readonly record struct PortAccess(ushort Port, int Bytes, uint Value);
