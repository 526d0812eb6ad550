// SPDX-License-Identifier: MIT
using System;

namespace Xt;

/// <summary>A failure that the user can do something about: one sentence, and the remedy beside it.</summary>
public sealed class XtException : Exception
{
    public XtException(string message, string? remedy = null)
        : base(message) => Remedy = remedy;

    public string? Remedy { get; }
}
