// SPDX-License-Identifier: MIT
namespace Dom0.Toolstack.Config;

/// <summary>A configuration that cannot be used, with the place that shows why.</summary>
public sealed class ConfigException : ToolstackException
{
    /// <summary>Creates the error for a place.</summary>
    public ConfigException(SourcePosition position, string message, string? remedy = null)
        : base($"{position}: {message}", remedy) => Position = position;

    /// <summary>Where the mistake stands.</summary>
    public SourcePosition Position { get; }
}
