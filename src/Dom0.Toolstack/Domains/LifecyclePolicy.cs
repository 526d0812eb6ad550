// SPDX-License-Identifier: MIT
using Dom0.Toolstack.Config;
using Xen.Abi;

namespace Dom0.Toolstack.Domains;

/// <summary>What a domain's configuration wants to happen when the domain has stopped.</summary>
public static class LifecyclePolicy
{
    /// <summary>The action for a reason; a suspended domain is nobody's to touch.</summary>
    public static LifecycleAction ActionFor(DomainConfig config, ShutdownReason reason) => reason switch
    {
        ShutdownReason.Poweroff => config.OnPoweroff,
        ShutdownReason.Reboot or ShutdownReason.SoftReset => config.OnReboot,
        ShutdownReason.Suspend => LifecycleAction.Preserve,
        _ => config.OnCrash,
    };
}
