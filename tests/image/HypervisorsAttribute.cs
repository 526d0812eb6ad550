// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Reflection;
using Xt.Machine;
using Xunit.Sdk;

namespace Image.Tests;

/// <summary>
/// Runs a test on our hypervisor, and with <c>--long</c> on Debian's Xen as well: a test that fails there is a wrong
/// test.
/// </summary>
public sealed class HypervisorsAttribute : DataAttribute
{
    private readonly List<object[]> _rows = [];

    /// <param name="ours">False for a promise that our hypervisor cannot keep yet.</param>
    public HypervisorsAttribute(bool ours = true)
    {
        if (ours)
        {
            _rows.Add([HypervisorKind.Ours]);
        }

        if (Environment.GetEnvironmentVariable("XT_LONG") == "yes")
        {
            _rows.Add([HypervisorKind.Xen]);
        }

        if (_rows.Count == 0)
        {
            // A skipped theory wants a row to skip.
            _rows.Add([HypervisorKind.Xen]);
            Skip = "takes long: xt test --long";
        }
    }

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => _rows;
}
