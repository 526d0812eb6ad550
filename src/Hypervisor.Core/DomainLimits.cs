// SPDX-License-Identifier: MIT

using Xen.Abi;

namespace Hypervisor.Core;

/// <summary>What a domain may have at most, fixed when it is made.</summary>
public struct DomainLimits
{
    public const uint DefaultGrantFrames = 64;
    public const uint DefaultMaptrackFrames = 1024;
    public const uint LastEventChannelPort = EventChannelLimits.FifoNrChannels - 1;

    public uint Vcpus;

    /// <summary>The highest port.</summary>
    public uint EventChannelPort;
    public uint GrantFrames;
    public uint MaptrackFrames;

    public static DomainLimits OfVcpus(uint vcpus) => new()
    {
        Vcpus = vcpus,
        EventChannelPort = LastEventChannelPort,
        GrantFrames = DefaultGrantFrames,
        MaptrackFrames = DefaultMaptrackFrames,
    };
}
