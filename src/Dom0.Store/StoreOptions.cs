// SPDX-License-Identifier: MIT
using System;
using System.Threading;

namespace Dom0.Store;

/// <summary>How a store daemon is to run. The defaults are those of a Domain-0.</summary>
public sealed record StoreOptions
{
    /// <summary>The socket of programs that may do everything.</summary>
    public string Socket { get; init; } = "/run/xenstored/socket";

    /// <summary>The socket of programs that may only look; null for none.</summary>
    public string? ReadOnlySocket { get; init; } = "/run/xenstored/socket_ro";

    /// <summary>Where the state is kept that outlives the daemon; null for nowhere. It belongs below /run.</summary>
    public string? StateFolder { get; init; } = "/run/xend/store";

    /// <summary>Where the number of the process is written; null for nowhere.</summary>
    public string? PidFile { get; init; } = "/run/xenstored/xenstored.pid";

    /// <summary>Serve the rings of Domain-0's kernel and of guests; false without a hypervisor.</summary>
    public bool ServesDomains { get; init; } = true;

    /// <summary>Log every request.</summary>
    public bool Trace { get; init; }

    /// <summary>Where sentences for the administrator go.</summary>
    public Action<string> Log { get; init; } = Console.Error.WriteLine;

    /// <summary>Is called when the sockets listen and the rings are served.</summary>
    public Action? Ready { get; init; }

    /// <summary>Ends the daemon, as SIGTERM does.</summary>
    public CancellationToken Stop { get; init; }
}
