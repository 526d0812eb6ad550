// SPDX-License-Identifier: MIT
using System;
using Xen.Abi;

namespace Dom0.Toolstack.Hypercalls;

/// <summary>A domain as the hypervisor sees it.</summary>
public sealed record DomainInfo
{
    /// <summary>The domain's number.</summary>
    public required int Id { get; init; }

    /// <summary>The identity that the toolstack gave it.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>Being torn down.</summary>
    public bool IsDying { get; init; }

    /// <summary>Stopped for good, or suspended.</summary>
    public bool IsShutdown { get; init; }

    /// <summary>Held by the toolstack.</summary>
    public bool IsPaused { get; init; }

    /// <summary>Waits for an event on all its virtual CPUs.</summary>
    public bool IsBlocked { get; init; }

    /// <summary>Runs at this moment.</summary>
    public bool IsRunning { get; init; }

    /// <summary>Fully virtualized.</summary>
    public bool IsHvm { get; init; }

    /// <summary>Why it stopped; meaningful with <see cref="IsShutdown"/>.</summary>
    public ShutdownReason Reason { get; init; }

    /// <summary>Pages that it has.</summary>
    public ulong TotalPages { get; init; }

    /// <summary>Pages that it may have.</summary>
    public ulong MaximumPages { get; init; }

    /// <summary>Pages claimed and not yet taken.</summary>
    public ulong OutstandingPages { get; init; }

    /// <summary>Machine frame of the shared page.</summary>
    public ulong SharedInfoFrame { get; init; }

    /// <summary>Nanoseconds of CPU time used.</summary>
    public ulong CpuTime { get; init; }

    /// <summary>Virtual CPUs that are online.</summary>
    public int OnlineVcpus { get; init; }

    /// <summary>Highest number of a virtual CPU; -1 without any.</summary>
    public int MaximumVcpuId { get; init; }

    /// <summary>CPU pool.</summary>
    public int Pool { get; init; }

    /// <summary>Memory in KiB, what is claimed included.</summary>
    public ulong MemoryKib => (TotalPages + OutstandingPages) * 4;

    /// <summary>The six letters of the state column: running, blocked, paused, shut down, crashed, dying.</summary>
    public string StateLetters => string.Create(6, this, static (letters, info) =>
    {
        bool crashed = info.IsShutdown && info.Reason == ShutdownReason.Crash;
        letters[0] = info.IsRunning ? 'r' : '-';
        letters[1] = info.IsBlocked ? 'b' : '-';
        letters[2] = info.IsPaused ? 'p' : '-';
        letters[3] = info.IsShutdown ? 's' : '-';
        letters[4] = crashed ? 'c' : '-';
        letters[5] = info.IsDying ? 'd' : '-';
    });

    /// <summary>The state as one word, as <c>xm domstate</c> gives it.</summary>
    public string StateWord => this switch
    {
        { IsDying: true } => "dying",
        { IsShutdown: true, Reason: ShutdownReason.Crash } => "crashed",
        { IsShutdown: true } => "shutdown",
        { IsPaused: true } => "paused",
        { IsRunning: true } => "running",
        _ => "idle",
    };
}
