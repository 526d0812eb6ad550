// SPDX-License-Identifier: MIT
using System.IO;
using Dom0.Toolstack.Api;

namespace Dom0.Xend;

/// <summary>The daemon's files. What lies in /run is gone when the machine starts anew, as the domains are.</summary>
internal static class Places
{
    /// <summary>Sockets, locks and the state of what runs.</summary>
    public const string Run = "/run/xend";

    /// <summary>Logs of this daemon.</summary>
    public const string Log = "/var/log/xen/xend.log";

    /// <summary>Logs of the guests' consoles.</summary>
    public const string ConsoleLogs = "/var/log/xen/console";

    /// <summary>The socket of the process that makes devices.</summary>
    public static readonly string Backends = Path.Combine(Run, "backends");

    /// <summary>Definitions of domains.</summary>
    public const string Definitions = DefinitionFolder.Host;

    /// <summary>States of suspended domains.</summary>
    public const string States = "/var/lib/xend/suspended";

    /// <summary>Records of the domains that exist.</summary>
    public static readonly string Records = Path.Combine(Run, "domains");

    /// <summary>What must be known of consoles beyond their logs.</summary>
    public static readonly string ConsoleStates = Path.Combine(Run, "consoles");

    /// <summary>What the supervisor knows of its processes.</summary>
    public static readonly string SupervisorState = Path.Combine(Run, "supervisor.json");

    /// <summary>Makes the folder of sockets, locks and records, root's alone.</summary>
    public static void MakeRunFolder() => _ = Directory.CreateDirectory(Run,
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <summary>The file that a role holds locked while it runs, with its process number.</summary>
    public static string LockOf(string role) => Path.Combine(Run, role + ".pid");
}
