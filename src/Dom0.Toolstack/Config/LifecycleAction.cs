// SPDX-License-Identifier: MIT
using System.Text.Json.Serialization;

namespace Dom0.Toolstack.Config;

/// <summary>
/// What becomes of a domain that has stopped: the values of <c>on_poweroff</c>, <c>on_reboot</c>, <c>on_crash</c>.
/// </summary>
public enum LifecycleAction
{
    [JsonStringEnumMemberName("destroy")]
    Destroy,

    [JsonStringEnumMemberName("restart")]
    Restart,

    [JsonStringEnumMemberName("preserve")]
    Preserve,

    [JsonStringEnumMemberName("rename-restart")]
    RenameRestart,

    [JsonStringEnumMemberName("coredump-destroy")]
    CoredumpDestroy,

    [JsonStringEnumMemberName("coredump-restart")]
    CoredumpRestart,
}
