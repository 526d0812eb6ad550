// SPDX-License-Identifier: MIT

namespace Hypervisor.Core;

/// <summary>What a domain may have at most, fixed when it is made.</summary>
public struct DomainLimits
{
    public const uint DefaultGrantFrames = 64;
    public const uint DefaultMaptrackFrames = 1024;
    public const uint AllEventChannels = 1u << 17;

    public uint Vcpus;
    public uint EventChannels;
    public uint GrantFrames;
    public uint MaptrackFrames;

    public static DomainLimits OfVcpus(uint vcpus) => new()
    {
        Vcpus = vcpus,
        EventChannels = AllEventChannels,
        GrantFrames = DefaultGrantFrames,
        MaptrackFrames = DefaultMaptrackFrames,
    };
}
