// SPDX-License-Identifier: MIT

using System.Runtime.InteropServices;

namespace Hypervisor.Sched;

/// <summary>Parameters of a domain or a unit on their way to or from a policy, which lays a struct of its own over
/// them.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PolicyParameters
{
    public fixed ulong Words[8];
}
