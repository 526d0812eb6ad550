// SPDX-License-Identifier: MIT
using System;
using Xunit;

namespace Image.Tests;

/// <summary>A test for <c>xt test --long</c> only.</summary>
public sealed class LongFactAttribute : FactAttribute
{
    public LongFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("XT_LONG") != "yes")
        {
            Skip = "takes long: xt test --long";
        }
    }
}
