// SPDX-License-Identifier: MIT
using System;
using Xunit;

namespace Image.Tests;

/// <summary>A test for <c>xt test --long</c> only.</summary>
public sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute() => Skip = Reason;

    /// <summary>Why a long test is skipped; null when it is not.</summary>
    internal static string? Reason =>
        Environment.GetEnvironmentVariable("XT_LONG") == "yes" ? null : "takes long: xt test --long";
}
