// SPDX-License-Identifier: MIT
using System.Collections.Generic;
using Xt.Testing;
using Xunit;

namespace Xt.Tests;

public sealed class MicroGuestTests
{
    [Theory]
    [InlineData("hello\r\nSUCCESS\r\n", "SUCCESS")]
    [InlineData("(d0) SUCCESS\n", "SUCCESS")]
    [InlineData("Test result: SKIP: no second CPU\n", "SKIP")]
    [InlineData("SUCCESS\nFAILURE: two\nERROR\n", "FAILURE")]
    [InlineData("SKIP\nERROR: broken\n", "ERROR")]
    [InlineData("what a SUCCESS that was\n", "CRASH")]
    [InlineData("SUCCESSFUL\n", "CRASH")]
    [InlineData("", "CRASH")]
    public void The_worst_verdict_on_a_line_of_its_own_counts(string console, string verdict)
    {
        Assert.Equal(verdict, Testing.MicroGuestTests.VerdictIn(console).Verdict);
    }

    [Fact]
    public void The_reason_stands_behind_the_verdict()
    {
        Assert.Equal("no second CPU", Testing.MicroGuestTests.VerdictIn("SKIP: no second CPU\r\n").Reason);
    }

    [Fact]
    public void The_head_of_a_page_is_read_up_to_the_first_prose()
    {
        Dictionary<string, string> keys = MicroGuest.ReadHead("x",
            ["<!-- SPDX-License-Identifier: MIT -->", "# x", "", "expect: CRASH", "cmdline: a=b c", "", "smp: 7"]);

        Assert.Equal(new Dictionary<string, string> { ["expect"] = "CRASH", ["cmdline"] = "a=b c" }, keys);
    }

    [Fact]
    public void An_unknown_key_is_an_error_that_names_the_known_ones()
    {
        XtException error = Assert.Throws<XtException>(() => MicroGuest.ReadHead("x", ["exepct: CRASH"]));

        Assert.Contains("exepct", error.Message);
        Assert.Contains("expect", error.Remedy);
    }
}
