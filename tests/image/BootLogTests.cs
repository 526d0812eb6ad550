// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Xt.Machine;
using Xunit;

namespace Image.Tests;

/// <summary>
/// What Domain-0's kernel complains about on our hypervisor and not on Debian's Xen is a difference of the interface.
/// </summary>
[Collection(SessionCollection.Name)]
public sealed partial class BootLogTests(SessionPool pool)
{
    private const int Warning = 4;

    [LongFact]
    public void The_kernel_complains_about_nothing_that_it_does_not_complain_about_on_Xen()
    {
        HashSet<string> onXen = [.. Complaints(HypervisorKind.Xen)];

        Assert.NotEmpty(onXen);
        string onlyOnOurs = string.Join('\n', Complaints(HypervisorKind.Ours).Where(line => !onXen.Contains(line)));

        Assert.Equal(string.Empty, onlyOnOurs);
    }

    /// <summary>Lines of level warning and above, with numbers of any kind made equal.</summary>
    private IEnumerable<string> Complaints(HypervisorKind hypervisor)
    {
        string log = string.Empty;
        pool.Use(hypervisor, dom0 => log = dom0.Require("dmesg -r"));
        return
        [
            .. Line().Matches(log)
                .Where(line => (int.Parse(line.Groups[1].Value) & 7) <= Warning)
                .Select(line => Number().Replace(line.Groups[2].Value, "#"))
                .Distinct(),
        ];
    }

    [GeneratedRegex(@"^<(\d+)>\[ *\d+\.\d+\] ([^\n]*)$", RegexOptions.Multiline)]
    private static partial Regex Line();

    [GeneratedRegex(@"\b(0x)?[0-9a-fA-F]*[0-9][0-9a-fA-F]*\b")]
    private static partial Regex Number();
}
