// SPDX-License-Identifier: MIT
namespace Xen.Images.Tests;

using Xunit;

/// <summary>A fact that is skipped where the program that makes its files is not installed.</summary>
internal sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(string program)
    {
        if (!ExternalTool.Exists(program))
        {
            Skip = $"the program {program} is not installed";
        }
    }
}
