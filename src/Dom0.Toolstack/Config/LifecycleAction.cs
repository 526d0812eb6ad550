// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Config;

/// <summary>What becomes of a domain that has stopped: the values of <c>on_poweroff</c>, <c>on_reboot</c>, <c>on_crash</c>.</summary>
public enum LifecycleAction
{
    Destroy,
    Restart,
    Preserve,
    RenameRestart,
    CoredumpDestroy,
    CoredumpRestart,
}
