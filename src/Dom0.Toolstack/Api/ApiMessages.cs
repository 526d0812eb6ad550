// SPDX-License-Identifier: MIT
//
// The messages of xend's interface: one JSON object a line, in both directions. docs/api.md describes them; a field is
// only ever added, and a change of meaning is a new number of the interface.
using System;
using System.Collections.Generic;
using System.Text.Json;
using Dom0.Toolstack.Config;

namespace Dom0.Toolstack.Api;

/// <summary>The first line of every connection, from xend.</summary>
public sealed record ApiGreeting
{
    /// <summary>Always <c>xend</c>.</summary>
    public string Service { get; init; } = "xend";

    /// <summary>The newest version of the interface that it speaks.</summary>
    public int Api { get; init; }

    /// <summary>The oldest version of the interface that it speaks.</summary>
    public int OldestApi { get; init; }
}

/// <summary>A request.</summary>
public sealed record ApiRequest
{
    /// <summary>Comes back in the answer.</summary>
    public long Id { get; init; }

    /// <summary>The version of the interface that the client means.</summary>
    public int Api { get; init; }

    /// <summary>What is wanted.</summary>
    public string Method { get; init; } = "";

    /// <summary>The method's parameters.</summary>
    public JsonElement? Params { get; init; }

    /// <summary>Does the client want to hear how far it is?</summary>
    public bool? Progress { get; init; }
}

/// <summary>The answer to a request: a result, or an error.</summary>
public sealed record ApiResponse
{
    /// <summary>Which request.</summary>
    public long Id { get; init; }

    /// <summary>What came of it.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why nothing came of it.</summary>
    public ApiError? Error { get; init; }
}

/// <summary>Why a request failed: a word for programs, a sentence for people, and what they can do.</summary>
public sealed record ApiError
{
    /// <summary>One of <see cref="ApiErrorCode"/>.</summary>
    public required string Code { get; init; }

    /// <summary>What was wrong.</summary>
    public required string Message { get; init; }

    /// <summary>The way out, where there is one.</summary>
    public string? Remedy { get; init; }
}

/// <summary>The words of <see cref="ApiError.Code"/>.</summary>
public static class ApiErrorCode
{
    /// <summary>The request is no JSON, or lacks something.</summary>
    public const string BadRequest = "bad_request";

    /// <summary>The client's version of the interface is not spoken here.</summary>
    public const string BadVersion = "bad_version";

    /// <summary>There is no such method.</summary>
    public const string UnknownMethod = "unknown_method";

    /// <summary>The operation was refused or did not succeed.</summary>
    public const string Failed = "failed";
}

/// <summary>Something that happened to a domain.</summary>
public sealed record DomainEvent
{
    /// <summary>Counts up by one for each event since xend's domain process started.</summary>
    public long Sequence { get; init; }

    /// <summary>created, started, stopped, crashed, restarting, destroyed or renamed.</summary>
    public required string Event { get; init; }

    /// <summary>The domain's number.</summary>
    public int Domid { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its identity.</summary>
    public Guid Uuid { get; init; }

    /// <summary>Why it stopped, or was destroyed.</summary>
    public string? Reason { get; init; }

    /// <summary>What is done about it.</summary>
    public string? Action { get; init; }

    /// <summary>When.</summary>
    public DateTimeOffset Time { get; init; }
}

/// <summary>How far a request is, for a client that asked for it.</summary>
public sealed record ApiProgress(long Id, string Step, long Done, long Total);

/// <summary>A line that is no answer: an event for somebody who subscribed.</summary>
public sealed record ApiEventLine(DomainEvent Event);

/// <summary>A line that is no answer: how far the request is whose answer is awaited.</summary>
public sealed record ApiProgressLine(ApiProgress Progress);

/// <summary>Whatever xend sends after its greeting: an answer, an event or progress.</summary>
public sealed record ApiMessage
{
    /// <summary>Of an answer: which request.</summary>
    public long Id { get; init; }

    /// <summary>Of an answer: what came of it.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Of an answer: why nothing came of it.</summary>
    public ApiError? Error { get; init; }

    /// <summary>An event.</summary>
    public DomainEvent? Event { get; init; }

    /// <summary>How far a request is.</summary>
    public ApiProgress? Progress { get; init; }
}

/// <summary>Parameters that name a domain.</summary>
public sealed record DomainParameters(string Domain);

/// <summary>Parameters of <c>domain.create</c>.</summary>
public sealed record CreateParameters(DomainConfig Config, bool Paused = false);

/// <summary>Parameters of <c>domain.rename</c>.</summary>
public sealed record RenameParameters(string Domain, string Name);

/// <summary>
/// Parameters of <c>domain.device_changed</c>: the entry of a disk or network interface that the domain has got, or the
/// number or address of one that it has lost.
/// </summary>
public sealed record DeviceChange(
    string Domain, string? Disk = null, int? DiskGone = null, string? Vif = null, string? VifGone = null);

/// <summary>Parameters of <c>managed.start</c> and <c>managed.resume</c>.</summary>
public sealed record StartParameters(string Domain, bool Paused = false);

/// <summary>Parameters of <c>domain.dump_core</c>.</summary>
public sealed record DumpParameters(string Domain, string? File = null, bool Live = false, bool Crash = false);

/// <summary>
/// Parameters of <c>console.attach</c>. Without <c>Since</c> everything that is kept is replayed; with it, what came
/// after that position.
/// </summary>
public sealed record ConsoleParameters(string Domain, long? Since = null);

/// <summary>Result of <c>console.attach</c>; the bytes of the stream follow the line.</summary>
public sealed record ConsoleStart(Guid Uuid, long Position);

/// <summary>Result of <c>domain.ended</c>: how a domain ended last, if it did.</summary>
public sealed record DomainEnd(string? Reason = null, string? Action = null, bool IsGone = false);

/// <summary>A domain that xend looks after, or a definition that it keeps.</summary>
public sealed record ManagedDomain
{
    /// <summary>Its identity.</summary>
    public required Guid Uuid { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its number while it exists.</summary>
    public int? Domid { get; init; }

    /// <summary>What it is going through; docs/api.md has the words.</summary>
    public required string Phase { get; init; }

    /// <summary>Is its definition kept when it is off?</summary>
    public bool IsManaged { get; init; }

    /// <summary>Its configuration.</summary>
    public required DomainConfig Config { get; init; }
}

/// <summary>Result of <c>dump_core</c>.</summary>
public sealed record DumpResult(string File, ulong Pages);

/// <summary>Result of <c>status</c>.</summary>
public sealed record DaemonStatus(int Pid, int Domains, long Events, IReadOnlyList<string> Problems);
