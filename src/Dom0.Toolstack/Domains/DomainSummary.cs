// SPDX-License-Identifier: MIT
using System;
using System.Text.Json.Serialization;

namespace Dom0.Toolstack.Domains;

/// <summary>One line of <c>xm list</c>.</summary>
public sealed record DomainSummary
{
    /// <summary>The domain's number; null of one that is registered and off.</summary>
    public required int? Id { get; init; }

    /// <summary>Its name, or a placeholder where the store has none.</summary>
    public required string Name { get; init; }

    /// <summary>Its identity.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>Memory that it has.</summary>
    public required ulong MemoryKib { get; init; }

    /// <summary>Memory that it may have.</summary>
    public required ulong MaximumMemoryKib { get; init; }

    /// <summary>Virtual CPUs that are online.</summary>
    public required int Vcpus { get; init; }

    /// <summary>The six letters of the state column.</summary>
    public required string State { get; init; }

    /// <summary>The state as a word.</summary>
    public required string StateWord { get; init; }

    /// <summary>Why it stopped, if it did.</summary>
    public string? ShutdownReason { get; init; }

    /// <summary>Nanoseconds of CPU time used.</summary>
    public required ulong CpuTimeNanoseconds { get; init; }

    /// <summary>CPU pool, while it is in one.</summary>
    public required int? Pool { get; init; }

    /// <summary>The domain, which is there.</summary>
    [JsonIgnore]
    public DomainReference Reference => new(Id!.Value, Name);
}

/// <summary>One line of <c>xm vcpu-list</c>.</summary>
public sealed record VcpuSummary
{
    /// <summary>The domain's name.</summary>
    public required string Name { get; init; }

    /// <summary>The domain's number.</summary>
    public required int Id { get; init; }

    /// <summary>Number of the virtual CPU.</summary>
    public required int Vcpu { get; init; }

    /// <summary>The CPU that it is on; null while it is offline.</summary>
    public int? Cpu { get; init; }

    /// <summary>Running, blocked, or paused (offline): <c>r--</c>, <c>-b-</c>, <c>--p</c>.</summary>
    public required string State { get; init; }

    /// <summary>Nanoseconds of CPU time used.</summary>
    public required ulong CpuTimeNanoseconds { get; init; }

    /// <summary>The CPUs that it may use.</summary>
    public required string Affinity { get; init; }
}

/// <summary>One line of <c>xm uptime</c>.</summary>
public sealed record DomainUptime(string Name, int Id, ulong UptimeSeconds);

/// <summary>One line of <c>xm sched-credit</c>.</summary>
public sealed record SchedulerShare(string Name, int Id, int Weight, int Cap);

/// <summary>One line of <c>xm sched-sedf</c>; times are milliseconds.</summary>
public sealed record SedfLine(
    string Name, int Id, double Period, double Slice, double Latency, bool ExtraTime, int Weight);

/// <summary>One line of <c>xm sched-bvt</c>; times are milliseconds.</summary>
public sealed record BvtLine(
    string Name, int Id, int Advance, bool WarpBack, double WarpValue, double WarpLimit, double UnwarpRequirement);

/// <summary>What <c>xm sched-set</c> says: the policy in force; after a change also how many vCPUs were taken over, and
/// for how many microseconds nobody could be scheduled.</summary>
public sealed record SchedulerState(string Policy, string? Former, int? Vcpus, double? PauseMicroseconds);
