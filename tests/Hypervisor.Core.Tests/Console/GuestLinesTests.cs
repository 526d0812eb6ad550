// SPDX-License-Identifier: MIT

using System.Text;
using Hypervisor.Core.Console;
using Xunit;

namespace Hypervisor.Core.Tests.Console;

public sealed unsafe class GuestLinesTests
{
    private static void Write(ref GuestLines lines, uint domain, string text, ulong now = 0)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        fixed (byte* first = bytes)
        {
            lines.Write(domain, first, bytes.Length, now);
        }
    }

    [Fact]
    public void Lines_of_several_domains_do_not_mix()
    {
        FakeMachine machine = FakeMachine.Reset();
        GuestLines lines = default;

        Write(ref lines, 1, "hel");
        Write(ref lines, 2, "good");
        Write(ref lines, 1, "lo\nag");
        Write(ref lines, 2, "bye\n");
        Write(ref lines, 1, "ain");
        lines.Flush(1, 0);
        lines.Flush(2, 0);

        Assert.Equal("(d1) hello\n(d2) goodbye\n(d1) again\n", machine.Console);
    }

    [Fact]
    public void A_line_without_end_is_cut_and_control_characters_are_left_out()
    {
        FakeMachine machine = FakeMachine.Reset();
        GuestLines lines = default;

        Write(ref lines, 3, new string('x', GuestLines.LineCapacity) + "y\n\u001B[2J\rz\u007F\n");

        Assert.Equal("(d3) " + new string('x', GuestLines.LineCapacity) + "\n(d3) y\n(d3) [2Jz\n", machine.Console);
    }

    [Fact]
    public void A_fifth_domain_pushes_out_the_oldest_unfinished_line()
    {
        FakeMachine machine = FakeMachine.Reset();
        GuestLines lines = default;
        for (uint domain = 1; domain <= 5; domain++)
        {
            Write(ref lines, domain, "from " + domain);
        }

        Write(ref lines, 5, "!\n");

        Assert.EndsWith("(d5) from 5!\n", machine.Console, System.StringComparison.Ordinal);
        Assert.Equal(2, machine.Console.Split('\n').Length - 1);
    }

    [Fact]
    public void A_flood_is_suppressed_counted_and_ends_with_time()
    {
        FakeMachine machine = FakeMachine.Reset();
        GuestLines lines = default;
        string line = new string('x', 92) + "\n";
        for (int i = 0; i < 1000; i++)
        {
            Write(ref lines, 1, line, 1000);
        }

        int shown = machine.Console.Split('\n').Length - 1;
        Assert.Equal(64 * 1024 / 100, shown);

        machine.ClearConsole();
        Write(ref lines, 1, "later\n", 1000 + (1UL << 30));
        Assert.Equal($"(XEN) d1: {1000 - shown} messages suppressed\n(d1) later\n", machine.Console);
    }
}
