// SPDX-License-Identifier: MIT
using Xunit;

namespace Image.Tests;

/// <summary>A test of several cases for <c>xt test --long</c> only.</summary>
public sealed class LongTheoryAttribute : TheoryAttribute
{
    public LongTheoryAttribute() => Skip = LongFactAttribute.Reason;
}
