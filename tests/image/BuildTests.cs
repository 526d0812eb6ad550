// SPDX-License-Identifier: MIT
using Xt;
using Xt.Host;
using Xunit;

namespace Image.Tests;

/// <summary>What is asked of the build rather than of what it makes.</summary>
public sealed class BuildTests
{
    [LongFact]
    public void The_same_sources_give_the_same_bytes_in_another_folder()
    {
        string said = HostCommand.Require(Workspace.InSources("tools", "build-hypervisor"), ["--verify"]);
        Assert.Contains("reproducible: ", said);
    }
}
