// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>Room for what the policy in force remembers about a unit, a CPU or a domain. Each policy lays a struct
/// of its own over it; nobody else looks inside. All zero before the policy's first call.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PolicyData
{
    public const int Size = 128;

    public fixed ulong Words[Size / sizeof(ulong)];
}
