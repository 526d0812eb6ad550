// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Text.Json.Serialization;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Migration;
using Xm.Cli.Commands;

namespace Xm.Cli;

/// <summary>The records that <c>--json</c> prints; names as in <c>xm info</c>, with underscores.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CommandDescription))]
[JsonSerializable(typeof(IReadOnlyList<CommandDescription>))]
[JsonSerializable(typeof(DomainReference))]
[JsonSerializable(typeof(IReadOnlyList<DomainReference>))]
[JsonSerializable(typeof(DomainSummary))]
[JsonSerializable(typeof(IReadOnlyList<DomainSummary>))]
[JsonSerializable(typeof(IReadOnlyList<VcpuSummary>))]
[JsonSerializable(typeof(IReadOnlyList<DomainUptime>))]
[JsonSerializable(typeof(IReadOnlyList<SchedulerShare>))]
[JsonSerializable(typeof(IReadOnlyList<DomainActivity>))]
[JsonSerializable(typeof(IReadOnlyList<DomainUsage>))]
[JsonSerializable(typeof(IReadOnlyList<SedfLine>))]
[JsonSerializable(typeof(IReadOnlyList<BvtLine>))]
[JsonSerializable(typeof(SchedulerState))]
[JsonSerializable(typeof(HostInfo))]
[JsonSerializable(typeof(DiskSummary))]
[JsonSerializable(typeof(VifSummary))]
[JsonSerializable(typeof(IReadOnlyList<DiskSummary>))]
[JsonSerializable(typeof(IReadOnlyList<VifSummary>))]
[JsonSerializable(typeof(DomainConfig))]
[JsonSerializable(typeof(GdbCoreResult))]
[JsonSerializable(typeof(TransferReport))]
[JsonSerializable(typeof(SaveSummary))]
[JsonSerializable(typeof(string))]
internal sealed partial class XmJson : JsonSerializerContext;
