// SPDX-License-Identifier: MIT

namespace Hypervisor.Sched;

/// <summary>The policies there are. What the tools are told about them is the control interface's affair.</summary>
public enum SchedulerId : uint
{
    RoundRobin = 0,
}
