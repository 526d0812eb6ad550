// SPDX-License-Identifier: MIT
using System;

namespace Dom0.Toolstack;

/// <summary>
/// Something the caller can be told about in one sentence: what was wrong, and what to do about it.
/// </summary>
public class ToolstackException : Exception
{
    /// <summary>Creates the error from its sentence and, where there is one, the way out.</summary>
    public ToolstackException(string message, string? remedy = null, Exception? cause = null)
        : base(message, cause) => Remedy = remedy;

    /// <summary>
    /// What the user can do, as an imperative sentence without its full stop; null when nothing is known.
    /// </summary>
    public string? Remedy { get; }

    /// <summary>The sentence and its remedy, as they follow <c>Error: </c> on standard error.</summary>
    public string Describe() => Remedy is null ? Message : $"{Message}\n  {Remedy}.";
}
