// SPDX-License-Identifier: MIT
using System;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dom0.Toolstack.Domains;

/// <summary>A set of CPUs in JSON: the list as a string, and <c>all</c> for every CPU there may be.</summary>
public sealed class CpuSetConverter : JsonConverter<CpuSet>
{
    /// <inheritdoc/>
    public override CpuSet Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        CpuSet.Parse(reader.GetString() ?? "");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, CpuSet value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Equals(CpuSet.All) ? "all" : value.ToString());
}
