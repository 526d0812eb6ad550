// SPDX-License-Identifier: MIT
using System.Text.Json.Serialization;
using Dom0.Xend.Consoles;
using Dom0.Xend.Domains;
using Dom0.Xend.Supervisor;

namespace Dom0.Xend;

/// <summary>The daemon's own files as JSON.</summary>
[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DomainRecord))]
[JsonSerializable(typeof(ConsoleState))]
[JsonSerializable(typeof(SupervisorState))]
internal sealed partial class XendJson : JsonSerializerContext;
