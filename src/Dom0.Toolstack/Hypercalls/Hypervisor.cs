// SPDX-License-Identifier: MIT
using System;
using Dom0.Toolstack.Interop;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>The control interface of the hypervisor, by area. Serves one thread.</summary>
public sealed class Hypervisor : IDisposable
{
    private readonly HypercallGate _gate;

    /// <summary>Speaks over <paramref name="channel"/>, which stays the caller's.</summary>
    public Hypervisor(IHypercallChannel channel)
    {
        _gate = new HypercallGate(channel);
        Domains = new DomainControl(_gate);
        States = new StateControl(_gate);
        System = new SystemControl(_gate);
        Scheduling = new SchedulingControl(_gate);
        Statistics = new StatisticsControl(_gate);
        Memory = new MemoryControl(_gate);
        Mmu = new MmuControl(_gate);
        Events = new EventControl(_gate);
        Version = new VersionControl(_gate);
    }

    /// <summary>The way to the hypervisor, for mapping frames.</summary>
    public IHypercallChannel Channel => _gate.Channel;

    /// <summary><c>domctl</c>.</summary>
    public DomainControl Domains { get; }

    /// <summary><c>domctl</c>: what makes up a domain's state.</summary>
    public StateControl States { get; }

    /// <summary><c>sysctl</c>.</summary>
    public SystemControl System { get; }

    /// <summary><c>sysctl</c>: scheduling policies.</summary>
    public SchedulingControl Scheduling { get; }

    /// <summary><c>sysctl</c>: what domains have asked for.</summary>
    public StatisticsControl Statistics { get; }

    /// <summary><c>memory_op</c>.</summary>
    public MemoryControl Memory { get; }

    /// <summary><c>mmuext_op</c>.</summary>
    public MmuControl Mmu { get; }

    /// <summary><c>event_channel_op</c>.</summary>
    public EventControl Events { get; }

    /// <summary><c>xen_version</c>.</summary>
    public VersionControl Version { get; }

    /// <inheritdoc/>
    public void Dispose() => _gate.Dispose();
}
