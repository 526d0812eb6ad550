// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using System.Text.Json.Serialization;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;

namespace Dom0.Toolstack.Api;

/// <summary>The messages as JSON, each on one line.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UseStringEnumConverter = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ApiGreeting))]
[JsonSerializable(typeof(ApiRequest))]
[JsonSerializable(typeof(ApiResponse))]
[JsonSerializable(typeof(ApiEventLine))]
[JsonSerializable(typeof(ApiProgressLine))]
[JsonSerializable(typeof(ApiMessage))]
[JsonSerializable(typeof(DomainEvent))]
[JsonSerializable(typeof(DomainConfig))]
[JsonSerializable(typeof(DomainReference))]
[JsonSerializable(typeof(DomainParameters))]
[JsonSerializable(typeof(CreateParameters))]
[JsonSerializable(typeof(RenameParameters))]
[JsonSerializable(typeof(DeviceChange))]
[JsonSerializable(typeof(StartParameters))]
[JsonSerializable(typeof(DumpParameters))]
[JsonSerializable(typeof(ConsoleParameters))]
[JsonSerializable(typeof(ConsoleStart))]
[JsonSerializable(typeof(DomainEnd))]
[JsonSerializable(typeof(DumpResult))]
[JsonSerializable(typeof(DaemonStatus))]
[JsonSerializable(typeof(ManagedDomain))]
[JsonSerializable(typeof(IReadOnlyList<ManagedDomain>))]
public sealed partial class ApiJson : JsonSerializerContext;
