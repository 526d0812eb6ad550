// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Text.Json.Serialization;
using Dom0.Toolstack.Config;

namespace Dom0.Xend.Backends;

/// <summary>Parameters of <c>devices.attach</c>: a new domain, and what it is to have.</summary>
internal sealed record AttachParameters(int Domain, DomainConfig Config);

/// <summary>Parameters of <c>devices.remove</c>: a domain that does not run any more.</summary>
internal sealed record RemoveParameters(int Domain);

/// <summary>Result of either: sentences about what did not go as it should.</summary>
internal sealed record DeviceReport(IReadOnlyList<string> Complaints);

/// <summary>The messages between the daemon's processes as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AttachParameters))]
[JsonSerializable(typeof(RemoveParameters))]
[JsonSerializable(typeof(DeviceReport))]
internal sealed partial class BackendJson : JsonSerializerContext;
