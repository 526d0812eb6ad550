// SPDX-License-Identifier: MIT
using System;
using System.Diagnostics;
using System.Linq;
using Xen.Abi.Extensions;
using Xunit;

namespace Xm.Cli.Tests;

/// <summary>Commands about the daemon and the program itself.</summary>
public sealed class ToolTests
{
    private readonly XmHarness _xm = new();

    [Fact]
    public void The_manual_has_every_command_that_works_and_all_its_options()
    {
        Assert.Equal(0, _xm.Run("help", "--manual"));
        foreach (Command command in CommandTable.All.Where(command => command.Needs is null))
        {
            Assert.Contains($"\n\\fB{command.Name.Replace("-", "\\-", StringComparison.Ordinal)}\\fR", _xm.Output);
            Assert.All(command.Options,
                option => Assert.Contains(option.Long.Replace("-", "\\-", StringComparison.Ordinal), _xm.Output));
        }

        // A line of text that began with a dot or a quote would be a request to troff.
        Assert.DoesNotContain(_xm.Output.Split('\n'), line => line.StartsWith('\''));
        Assert.DoesNotContain("…", _xm.Output);
    }

    [Fact]
    public void Bash_takes_the_completion_script_and_completes_commands_and_options()
    {
        Assert.Equal(0, _xm.Run("help", "--completion"));
        string script = _xm.Output + """

            COMP_WORDS=(xm vcpu-l); COMP_CWORD=1; _xm; echo "${COMPREPLY[@]}"
            COMP_WORDS=(xm create --dry); COMP_CWORD=2; _xm; echo "${COMPREPLY[@]}"
            """;
        using Process bash = Process.Start(new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true })!;
        Assert.Equal("vcpu-list\n--dryrun\n", bash.StandardOutput.ReadToEnd());
        bash.WaitForExit();
        Assert.Equal(0, bash.ExitCode);
    }

    [Fact]
    public void Top_prints_so_many_tables_and_ends()
    {
        _ = _xm.Add(5, "guest");
        Assert.Equal(0, _xm.Run("top", "-b", "-i", "2", "-d", "1"));
        string[] lines = _xm.Output.TrimEnd().Split('\n');
        Assert.Equal(6, lines.Length);
        Assert.Equal("NAME                  STATE   CPU(sec) CPU(%)     MEM(k) MEM(%)  MAXMEM(k) MAXMEM(%) VCPUS NETS NETTX(k) NETRX(k) "
            + "VBDS VBD_OO  VBD_RD  VBD_WR  VBD_RSECT  VBD_WSECT", lines[0]);
        Assert.Equal(lines[0], lines[3]);
        Assert.Matches(@"^guest +------ +12 +0\.0 +131072 +6\.[23] +262144 +12\.5 +2( +0){9}$", lines[2]);
        Assert.Equal(0, _xm.Run("top", "--json", "-i", "1"));
        Assert.Contains("\"maximum_memory_kib\":262144", _xm.Output.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(2, _xm.Run("top", "-b", "-i", "none"));
    }

    [Fact]
    public void Stat_counts_from_the_start_and_then_by_the_second()
    {
        _ = _xm.Add(5, "guest");
        _xm.Hypervisor.Policy = SchedulingPolicy.Credit;
        Assert.Equal(0, _xm.Run("stat", "-i", "2", "guest"));
        string[] lines = _xm.Output.TrimEnd().Split('\n');
        Assert.Equal(4, lines.Length);
        Assert.StartsWith("Name                    ID   Hypercalls ", lines[0]);
        Assert.Matches("^guest +5 +1000 +0 +0 +0 +0 +0 +1$", lines[1]);
        Assert.Matches("^guest +5 +(9[0-9]{2}|1000) +0 +0 +0 +0 +0 +1$", lines[3]);
        Assert.Equal(0, _xm.Run("stat", "--json"));
        Assert.Contains("\"shootdowns\":0", _xm.Output.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(1, _xm.Run("stat", "nobody"));
    }

    [Fact]
    public void Stat_says_that_Xen_does_not_count()
    {
        Assert.Equal(1, _xm.Run("stat"));
        Assert.Contains("sysctl statistics", _xm.Errors);
        Assert.Contains("Only the hypervisor of this project counts them", _xm.Errors);
    }

    [Theory]
    [InlineData("new", "/dev/null")]
    [InlineData("start", "guest")]
    [InlineData("delete", "guest")]
    [InlineData("events")]
    public void What_needs_the_daemon_says_that_it_does_not_run(params string[] words)
    {
        Assert.Equal(1, _xm.Run(words));
        Assert.Contains("xend does not run", _xm.Errors);
        Assert.Contains("systemctl start xend", _xm.Errors);
    }

    [Fact]
    public void A_guest_that_cannot_be_dumped_is_an_error_with_the_reason()
    {
        _ = _xm.Add(5, "guest");
        Assert.Equal(1, _xm.Run("dump-core", "guest", "/tmp/xm-test-no-such.core"));
        Assert.Contains("domain 5 has not told where its memory lies", _xm.Errors);
        Assert.Equal(1, _xm.Run("dump-core", "0", "/tmp/xm-test-no-such.core"));
        Assert.Contains("Domain-0 cannot be dumped", _xm.Errors);
    }
}
