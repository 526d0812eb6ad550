// SPDX-License-Identifier: MIT
using System.Linq;
using Xunit;

namespace Xm.Cli.Tests;

public sealed class DispatchTests
{
    private readonly XmHarness _xm = new();

    [Fact]
    public void Every_name_in_the_table_is_unique_old_names_included()
    {
        string[] names = [.. CommandTable.All.SelectMany(command => command.FormerNames.Prepend(command.Name))];
        Assert.Equal(names.Length, names.Distinct().Count());
    }

    [Fact]
    public void Every_command_either_runs_or_says_what_it_needs() =>
        Assert.All(CommandTable.All,
            command => Assert.True(command.Run is null == command.Needs is { Length: > 0 }, command.Name));

    [Theory]
    [InlineData("create", "destroy", "dump-core", "migrate", "pause", "reboot", "rename", "reset", "restore", "save",
        "shutdown")]
    [InlineData("sysrq", "trigger", "unpause", "delete", "new", "resume", "start", "suspend", "domid", "domname",
        "domstate")]
    [InlineData("list", "uptime", "console", "vncviewer", "mem-max", "mem-set", "vcpu-list", "vcpu-pin", "vcpu-set",
        "sched-bvt")]
    [InlineData("sched-bvt-ctxallow", "sched-credit", "sched-credit2", "sched-sedf", "debug-keys", "dmesg", "info",
        "log", "top")]
    [InlineData("block-attach", "block-configure", "block-detach", "block-list", "network-attach", "network-detach",
        "network-list")]
    [InlineData("pci-attach", "cpupool-list", "cpupool-migrate", "vnet-create", "serve", "shell", "addlabel",
        "tmem-list")]
    public void Every_command_of_earlier_releases_is_known(params string[] names) =>
        Assert.All(names, name => Assert.Contains(CommandTable.All, command => command.Name == name));

    [Theory]
    [InlineData("create", "cpnqf")]
    [InlineData("list", "l")]
    [InlineData("console", "q")]
    [InlineData("destroy", "")]
    [InlineData("shutdown", "awHR")]
    [InlineData("reboot", "aw")]
    [InlineData("pause", "")]
    [InlineData("unpause", "")]
    [InlineData("rename", "")]
    [InlineData("domid", "")]
    [InlineData("domname", "")]
    [InlineData("domstate", "")]
    [InlineData("uptime", "s")]
    [InlineData("vcpu-list", "")]
    [InlineData("vcpu-set", "")]
    [InlineData("vcpu-pin", "")]
    [InlineData("mem-set", "")]
    [InlineData("mem-max", "")]
    [InlineData("info", "")]
    [InlineData("dmesg", "c")]
    [InlineData("log", "")]
    [InlineData("sysrq", "")]
    [InlineData("trigger", "")]
    [InlineData("debug-keys", "")]
    [InlineData("dump-core", "LCR")]
    [InlineData("top", "bdi")]
    [InlineData("new", "f")]
    [InlineData("start", "cp")]
    [InlineData("suspend", "")]
    [InlineData("resume", "p")]
    [InlineData("delete", "")]
    [InlineData("save", "c")]
    [InlineData("restore", "p")]
    [InlineData("block-attach", "")]
    [InlineData("block-detach", "f")]
    [InlineData("block-list", "l")]
    [InlineData("network-attach", "")]
    [InlineData("network-detach", "f")]
    [InlineData("network-list", "l")]
    [InlineData("sched-credit", "dwc")]
    [InlineData("help", "")]
    public void Every_command_that_users_need_works_with_its_options_and_prints_JSON(string name, string options)
    {
        Command command = Assert.Single(CommandTable.All, command => command.Name == name);
        Assert.NotNull(command.Run);
        Assert.All(options, letter => Assert.Contains(command.Options, option => option.Short == letter));
        Assert.Contains(command.AllOptions, option => option.Long == "json");
        Assert.Equal(0, _xm.Run(name, "--help"));
        Assert.Contains(name, _xm.Output);
    }

    [Theory]
    [InlineData("li", "Name ")]
    [InlineData("vcpu-l", "Name ")]
    [InlineData("inf", "host ")]
    public void A_unique_beginning_is_enough(string word, string output)
    {
        Assert.Equal(0, _xm.Run(word));
        Assert.StartsWith(output, _xm.Output);
    }

    [Theory]
    [InlineData("vcpu-", "'vcpu-' can mean vcpu-list, vcpu-pin, vcpu-set")]
    [InlineData("l", "there is no command 'l'")]
    [InlineData("frobnicate", "there is no command 'frobnicate'")]
    public void What_names_no_command_is_a_usage_error(string word, string message)
    {
        Assert.Equal(2, _xm.Run(word));
        Assert.StartsWith($"Error: {message}", _xm.Errors);
        Assert.Equal("", _xm.Output);
    }

    [Fact]
    public void An_exact_name_wins_over_longer_ones_that_begin_with_it()
    {
        Assert.Equal(0, _xm.Run("sched-credit"));
        Assert.Equal(2, _xm.Run("sched-c"));
    }

    [Fact]
    public void An_old_name_works_and_says_the_new_one()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("balloon", "-w", "0", "guest", "100"));
        Assert.Equal("Warning: 'balloon' is an old name; the command is now 'xm mem-set'.\n", _xm.Errors);
        Assert.Equal("102400", _xm.Store.Nodes["/local/domain/3/memory/target"].Value);
    }

    [Fact]
    public void A_command_that_waits_for_something_says_so_in_one_sentence_and_fails()
    {
        Assert.Equal(1, _xm.Run("migrate", "guest", "host"));
        Assert.Equal("Error: xm migrate does not work yet: it needs migration of domains, which this release does not "
            + "have yet\n", _xm.Errors);
        foreach (Command command in CommandTable.All.Where(command => command.Run is null))
        {
            Assert.Equal(1, _xm.Run(command.Name));
            Assert.Equal(1, _xm.Errors.Count(c => c == '\n'));
            Assert.DoesNotContain("..", _xm.Errors);
        }
    }

    [Fact]
    public void Help_exists_for_every_command_and_names_all_of_its_options()
    {
        foreach (Command command in CommandTable.All)
        {
            Assert.Equal(0, _xm.Run(command.Name, "--help"));
            Assert.StartsWith($"Usage: xm {command.Name}", _xm.Output);
            Assert.All(command.AllOptions, option => Assert.Contains($"--{option.Long}", _xm.Output));
        }

        Assert.Equal(0, _xm.Run("help"));
        Assert.All(CommandTable.All.Where(command => command.Group != CommandGroup.Retired),
            command => Assert.Contains(command.Name, _xm.Output));
        Assert.Equal(2, _xm.Run());
        Assert.Contains("Usage: xm COMMAND", _xm.Errors);
    }

    [Theory]
    [InlineData("pause wants more arguments", "pause")]
    [InlineData("pause does not know what to do with 'b'", "pause", "a", "b")]
    [InlineData("list has no option --frob", "list", "--frob")]
    [InlineData("list has no option -z", "list", "-z")]
    [InlineData("the option --json takes no value", "list", "--json=x")]
    [InlineData("the option -d wants a value", "sched-credit", "-d")]
    [InlineData("weight is a number from 1 to 65535, not 'x'", "sched-credit", "-d", "0", "-w", "x")]
    [InlineData("shutdown wants either a domain or --all", "shutdown")]
    public void A_command_line_that_cannot_be_meant_is_a_usage_error(string message, params string[] words)
    {
        Assert.Equal(2, _xm.Run(words));
        Assert.StartsWith($"Error: {message}", _xm.Errors);
    }

    [Fact]
    public void Options_may_be_joined_stand_anywhere_and_end_with_two_dashes()
    {
        FakesShare(["sched-credit", "-d0", "-w", "100", "--cap=50"], (100, 50));
        FakesShare(["sched-credit", "-c=10", "-w=99", "-d=0"], (99, 10));
        Assert.Equal(1, _xm.Run("list", "--", "--json"));
        Assert.Contains("the domain '--json' does not exist", _xm.Errors);

        void FakesShare(string[] words, (int, int) expected)
        {
            Assert.Equal(0, _xm.Run(words));
            Assert.Equal(expected, _xm.Hypervisor.Domains[0].Share);
        }
    }
}
