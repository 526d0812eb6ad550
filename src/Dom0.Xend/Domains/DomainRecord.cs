// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using Dom0.Toolstack.Config;

namespace Dom0.Xend.Domains;

/// <summary>What a domain is going through. Each is a place from which work goes on after the daemon was killed.</summary>
internal enum DomainPhase
{
    /// <summary>Only a definition; there is no domain.</summary>
    Off,

    /// <summary>Being built for somebody who waits: whatever exists of it is destroyed after a restart of the daemon.</summary>
    Building,

    /// <summary>Built, and about to run for the first time.</summary>
    Starting,

    /// <summary>There, running or paused; looked after when it stops.</summary>
    Running,

    /// <summary>There, and being saved; off once the file of its state is whole.</summary>
    Suspending,

    /// <summary>Stopped, to be destroyed and built anew.</summary>
    Restarting,

    /// <summary>Stopped, to be renamed and kept while another one takes its name and identity.</summary>
    Renaming,

    /// <summary>Stopped and kept until somebody destroys it.</summary>
    Preserved,

    /// <summary>To be destroyed.</summary>
    Destroying,
}

/// <summary>A domain that the daemon looks after, as it stands in the daemon's state.</summary>
internal sealed record DomainRecord
{
    /// <summary>The identity; the hypervisor keeps it too, so a domain is known again whatever happened.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>The name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is going through.</summary>
    public required DomainPhase Phase { get; init; }

    /// <summary>How it is built.</summary>
    public required DomainConfig Config { get; init; }

    /// <summary>Its number, once it exists.</summary>
    public int? Domid { get; init; }

    /// <summary>Is there a definition that stays when the domain is gone?</summary>
    public bool IsManaged { get; init; }

    /// <summary>While renaming: the identity that the domain had, and that the next one gets.</summary>
    public Guid? FormerUuid { get; init; }

    /// <summary>When it was started over, the latest last; older ones than the limit looks at are dropped.</summary>
    public IReadOnlyList<DateTimeOffset> Restarts { get; init; } = [];
}
