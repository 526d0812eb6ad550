// SPDX-License-Identifier: MIT
using Xt.Machine;
using Xunit;

namespace Xt.Tests;

public sealed class DeathTests
{
    [Theory]
    [InlineData("(XEN) Panic on CPU 0:\r\n(XEN) no memory\r\n(XEN) ***\r\n", "(XEN) Panic on CPU 0: (XEN) no memory")]
    [InlineData("(XEN) cannot start: no Domain-0: none\r\n(XEN) halted", "(XEN) cannot start: no Domain-0: none")]
    [InlineData("a\n[    1.0] Kernel panic - not syncing: no init\nb", "[ 1.0] Kernel panic - not syncing: no init")]
    [InlineData("(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.\r\n",
        "(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.")]
    public void The_sentence_that_tells_of_a_death_is_found(string console, string expected)
    {
        Assert.Equal(expected, SerialLine.DeathIn(console));
    }

    [Fact]
    public void A_healthy_console_tells_of_none()
    {
        Assert.Null(SerialLine.DeathIn("(XEN) Xen version 4.17\n[ 0.0] panic=-1 given\n"));
    }
}
