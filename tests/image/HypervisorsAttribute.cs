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
    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        yield return [HypervisorKind.Ours];
        if (Environment.GetEnvironmentVariable("XT_LONG") == "yes")
        {
            yield return [HypervisorKind.Xen];
        }
    }
}
