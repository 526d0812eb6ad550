// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using Xunit;

/// <summary>A theory that is skipped where the program that makes its files is not installed.</summary>
internal sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(string program)
    {
        if (!ExternalTool.Exists(program))
        {
            Skip = $"the program {program} is not installed";
        }
    }
}
