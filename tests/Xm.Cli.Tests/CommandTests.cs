// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;
using System.Text.Json;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Interop;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Fakes;
using Dom0.Toolstack.Tests.Migration;
using Xen.Abi.Extensions;
using Xm.Cli.Commands;
using Xunit;

namespace Xm.Cli.Tests;

public sealed class CommandTests
{
    private readonly XmHarness _xm = new();

    private JsonElement Json() => JsonDocument.Parse(_xm.Output).RootElement;

    [Fact]
    public void List_prints_the_table_of_Xen_4()
    {
        _ = _xm.Add(3, "guest");
        _xm.Hypervisor.Domains[3].IsPaused = true;
        Assert.Equal(0, _xm.Run("list"));
        Assert.Equal(
            "Name                                        ID   Mem VCPUs      State   Time(s)\n"
            + "Domain-0                                     0   512     1     r-----      12.3\n"
            + "guest                                        3   128     2     --p---      12.3\n", _xm.Output);
    }

    [Fact]
    public void List_of_more_domains_than_one_call_returns_has_them_all()
    {
        for (int id = 1; id <= 600; id++)
        {
            _xm.Hypervisor.Domains[id] = new FakeHypervisor.Domain();
        }

        Assert.Equal(0, _xm.Run("list"));
        Assert.Equal(602, _xm.Output.Count(c => c == '\n'));
    }

    [Fact]
    public void List_works_without_the_store_but_has_no_names()
    {
        _ = _xm.Add(3, "guest");
        _xm.HasStore = false;
        Assert.Equal(0, _xm.Run("list"));
        Assert.Contains("Domain-0 ", _xm.Output);
        Assert.Contains("(no name) ", _xm.Output);
        Assert.Equal(1, _xm.Run("pause", "guest"));
        Assert.Equal("Error: cannot reach the store\n", _xm.Errors);
        Assert.Equal(0, _xm.Run("pause", "3"));
    }

    [Fact]
    public void List_as_JSON_has_the_same_records()
    {
        _ = _xm.Add(3, "guest");
        _xm.Hypervisor.Domains[3].IsShutdown = true;
        Assert.Equal(0, _xm.Run("list", "--json"));
        JsonElement guest = Json().EnumerateArray().ElementAt(1);
        Assert.Equal("guest", guest.GetProperty("name").GetString());
        Assert.Equal(131072, guest.GetProperty("memory_kib").GetInt32());
        Assert.Equal("---s--", guest.GetProperty("state").GetString());
        Assert.Equal("poweroff", guest.GetProperty("shutdown_reason").GetString());
        Assert.False(Json()[0].TryGetProperty("shutdown_reason", out _));
    }

    /// <summary>What wants a daemon, real devices or a whole guest has its own tests.</summary>
    [Theory]
    [InlineData("destroy guest")]
    [InlineData("shutdown guest")]
    [InlineData("reboot guest")]
    [InlineData("pause guest")]
    [InlineData("unpause guest")]
    [InlineData("rename guest other")]
    [InlineData("sysrq guest h")]
    [InlineData("trigger guest nmi")]
    [InlineData("list")]
    [InlineData("list guest")]
    [InlineData("domid guest")]
    [InlineData("domname 3")]
    [InlineData("domstate guest")]
    [InlineData("mem-set -w 0 guest 100")]
    [InlineData("mem-max guest 512")]
    [InlineData("vcpu-list")]
    [InlineData("vcpu-pin guest 0 1")]
    [InlineData("vcpu-set guest 1")]
    [InlineData("sched-set")]
    [InlineData("sched-credit")]
    [InlineData("sched-credit -d guest -w 512")]
    [InlineData("info")]
    [InlineData("dmesg")]
    [InlineData("debug-keys h")]
    [InlineData("stat")]
    [InlineData("top -i 1")]
    [InlineData("block-list guest")]
    [InlineData("network-list guest")]
    [InlineData("help")]
    [InlineData("help create")]
    public void With_json_a_command_prints_one_value_of_it(string words)
    {
        _ = _xm.Add(3, "guest");
        _xm.Hypervisor.Policy = SchedulingPolicy.Credit;
        _xm.Store.Put("/local/domain/3/memory/target", "131072");
        Assert.Equal(0, _xm.Run([.. words.Split(' '), "--json"]));
        Assert.True(Json().ValueKind is JsonValueKind.Array or JsonValueKind.Object or JsonValueKind.String);
    }

    [Fact]
    public void Debug_keys_are_pressed_in_their_order()
    {
        Assert.Equal(0, _xm.Run("debug-keys", "hq"));
        Assert.Equal("hq", _xm.Hypervisor.KeysPressed);
        Assert.Equal("", _xm.Output);
        Assert.Equal(2, _xm.Run("debug-keys", "h q"));
    }

    [Fact]
    public void The_command_table_itself_can_be_had_as_JSON()
    {
        Assert.Equal(0, _xm.Run("help", "--json"));
        Assert.Equal(CommandTable.All.Count, Json().GetArrayLength());
        JsonElement create = Json().EnumerateArray().Single(row => row.GetProperty("name").GetString() == "create");
        Assert.Contains(create.GetProperty("options").EnumerateArray(), option => option.GetProperty("short").GetString() == "c");
    }

    [Fact]
    public void A_registered_domain_that_is_off_has_no_number()
    {
        DomainSummary off = ListCommand.OfDefinition(new ManagedDomain
        {
            Uuid = Guid.NewGuid(),
            Name = "kept",
            Phase = "suspended",
            IsManaged = true,
            Config = SavedFiles.Config,
        });
        Assert.Equal((null, "kept", 1024UL, 2, "suspended"), (off.Id, off.Name, off.MemoryKib, off.Vcpus, off.StateWord));
        JsonElement json = JsonSerializer.SerializeToElement(off, XmJson.Default.DomainSummary);
        Assert.False(json.TryGetProperty("id", out _));
        Assert.Equal("suspended", json.GetProperty("state_word").GetString());
    }

    [Fact]
    public void Long_list_is_nested_lists()
    {
        Assert.Equal(0, _xm.Run("list", "-l", "0"));
        Assert.StartsWith("(domain\n    (domid 0)\n", _xm.Output);
        Assert.Equal(_xm.Output.Count(c => c == '('), _xm.Output.Count(c => c == ')'));
    }

    [Fact]
    public void Vcpu_list_shows_offline_ones_with_a_dash()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("vcpu-pin", "guest", "1", "0"));
        Assert.Equal(0, _xm.Run("vcpu-list", "guest"));
        Assert.Equal(
            "Name                                ID  VCPU   CPU State   Time(s) CPU Affinity\n"
            + "guest                                3     0     0   ---       1.5 any cpu\n"
            + "guest                                3     1     -   --p       1.5 0\n", _xm.Output);
    }

    [Fact]
    public void Info_lists_its_lines_with_the_colon_in_column_24()
    {
        Assert.Equal(0, _xm.Run("info"));
        string[] lines = _xm.Output.TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.Equal(':', line[23]));
        Assert.Contains("nr_cpus                : 2", lines);
        Assert.Contains("cpu_mhz                : 2596.095", lines);
        Assert.Contains("xen_version            : 4.17.7", lines);
        Assert.Contains("xen_caps               : xen-3.0-x86_64", lines);
        Assert.Contains("virt_caps              : pv gnttab-v1", lines);
        Assert.Contains("platform_params        : virt_start=0xffff800000000000", lines);
        Assert.Contains("total_memory           : 2048", lines);
        Assert.Equal(0, _xm.Run("info", "--json"));
        Assert.Equal("credit", Json().GetProperty("xen_scheduler").GetString());
        Assert.Equal(lines.Length + 1, Json().EnumerateObject().Count());
    }

    [Fact]
    public void Dmesg_prints_the_buffer_whatever_its_length_and_clears_it_if_asked()
    {
        string text = string.Concat(Enumerable.Range(0, 9000).Select(line => $"(XEN) line {line}\n"));
        _xm.Hypervisor.ConsoleText = text;
        Assert.Equal(0, _xm.Run("dmesg", "-c"));
        Assert.Equal(text, _xm.Output);
        Assert.Equal(0, _xm.Run("dmesg"));
        Assert.Equal("", _xm.Output);
    }

    [Fact]
    public void Domid_and_domname_translate()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("domid", "guest"));
        Assert.Equal("3\n", _xm.Output);
        Assert.Equal(0, _xm.Run("domname", "3"));
        Assert.Equal("guest\n", _xm.Output);
        Assert.Equal(1, _xm.Run("domid", "nobody"));
        Assert.Equal("Error: the domain 'nobody' does not exist\n  See 'xm list' for those that do.\n", _xm.Errors);
        Assert.Equal(1, _xm.Run("domname", "7"));
        Assert.Equal(2, _xm.Run("domname", "guest"));
        Assert.Equal(1, _xm.Run("domname", "99999999999999999999"));
    }

    [Fact]
    public void Pause_and_unpause_reach_the_hypervisor_and_spare_Domain_0()
    {
        FakeHypervisor.Domain guest = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("pause", "guest"));
        Assert.True(guest.IsPaused);
        Assert.Equal(0, _xm.Run("unpause", "3", "--json"));
        Assert.False(guest.IsPaused);
        Assert.Equal("guest", Json().GetProperty("name").GetString());
        Assert.Equal(1, _xm.Run("pause", "Domain-0"));
        Assert.Equal(1, _xm.Run("destroy", "Domain-0"));
        Assert.False(_xm.Hypervisor.Domains[0].IsPaused);
    }

    [Fact]
    public void A_refused_hypercall_is_named_with_its_error_and_a_way_out()
    {
        _ = _xm.Add(3, "guest");
        _xm.Hypervisor.FailWith = LibcErrno.NotPermitted;
        _xm.Hypervisor.FailAfter = 1;
        Assert.Equal(1, _xm.Run("unpause", "3"));
        Assert.Equal("Error: domctl unpausedomain was refused for domain 3: EPERM (not permitted)\n"
            + "  Run this in Domain-0 as root.\n", _xm.Errors);
    }

    [Fact]
    public void Rename_changes_the_store_and_refuses_names_that_are_taken()
    {
        _ = _xm.Add(3, "guest");
        _xm.Store.Put("/local/domain/3/vm", "/vm/u");
        Assert.Equal(0, _xm.Run("rename", "guest", "other"));
        Assert.Equal("other", _xm.Store.Nodes["/local/domain/3/name"].Value);
        Assert.Equal("other", _xm.Store.Nodes["/vm/u/name"].Value);
        Assert.Equal(1, _xm.Run("rename", "other", "Domain-0"));
        Assert.Equal(2, _xm.Run("rename", "other", "17"));
        Assert.Equal(2, _xm.Run("rename", "other", "a/b"));
        Assert.Equal("other", _xm.Store.Nodes["/local/domain/3/name"].Value);
    }

    [Theory]
    [InlineData("poweroff", "shutdown", "guest")]
    [InlineData("reboot", "reboot", "guest")]
    [InlineData("reboot", "shutdown", "-R", "guest")]
    [InlineData("halt", "shutdown", "-H", "guest")]
    [InlineData("poweroff", "shutdown", "-a")]
    public void Shutdown_asks_through_the_store(string request, params string[] words)
    {
        _ = _xm.Add(3, "guest");
        _xm.Store.Put($"/local/domain/3/control/feature-{request}", "1");
        Assert.Equal(0, _xm.Run(words));
        Assert.Equal(request, _xm.Store.Nodes["/local/domain/3/control/shutdown"].Value);
        Assert.Equal("", _xm.Errors);
        Assert.DoesNotContain("/local/domain/0/control/shutdown", _xm.Store.Nodes.Keys);
    }

    [Fact]
    public void Shutdown_of_a_domain_that_has_stopped_says_so()
    {
        _xm.Add(3, "guest").IsShutdown = true;
        Assert.Equal(1, _xm.Run("shutdown", "guest"));
        Assert.Contains("has stopped already", _xm.Errors);
        Assert.Equal(1, _xm.Run("shutdown", "0"));
    }

    [Fact]
    public void Shutdown_warns_where_the_guest_has_not_announced_that_it_obeys()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("shutdown", "guest"));
        Assert.StartsWith("Warning: 'guest' has not announced", _xm.Errors);
    }

    [Fact]
    public void A_guest_that_takes_what_it_is_asked_for_is_waited_for_and_one_that_does_not_is_told()
    {
        FakeHypervisor.Domain guest = _xm.Add(3, "guest");
        _xm.Store.Written = (path, value) =>
        {
            if (path.EndsWith("/target", StringComparison.Ordinal))
            {
                guest.Frames.RemoveWhere(frame => frame >= ulong.Parse(value) / 4);
            }
        };
        Assert.Equal(0, _xm.Run("mem-set", "guest", "100"));
        Assert.Equal("", _xm.Errors);
        Assert.Equal(25600, guest.Frames.Count);
        guest.IsPaused = true;
        Assert.Equal(0, _xm.Run("mem-set", "guest", "200"));
        Assert.Equal("Warning: 'guest' has 100 MiB and not 200 MiB: it is paused.\n", _xm.Errors);
        guest.IsPaused = false;
        Assert.Equal(0, _xm.Run("mem-set", "-w", "1", "guest", "200"));
        Assert.Equal("Warning: 'guest' has 100 MiB and not 200 MiB: its balloon has come no further.\n", _xm.Errors);
    }

    [Fact]
    public void Domain_0_keeps_what_it_uses_and_a_reserve()
    {
        Assert.Equal(1, _xm.Run("mem-set", "0", "1"));
        Assert.Contains("Domain-0 cannot do with 1 MiB: with less than ", _xm.Errors);
    }

    [Fact]
    public void Info_says_where_the_memory_is()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("info"));
        Assert.Matches(@"(?m)^guests_memory +: 128$", _xm.Output);
        ulong Field(string name) => ulong.Parse(System.Text.RegularExpressions.Regex.Match(
            _xm.Output, $@"(?m)^{name} +: (\d+)$").Groups[1].Value);
        Assert.InRange(
            Field("dom0_memory") + Field("guests_memory") + Field("hypervisor_memory") + Field("free_memory"),
            Field("total_memory") - 4, Field("total_memory"));

        _xm.Hypervisor.Policy = SchedulingPolicy.Credit;
        Assert.Equal(0, _xm.Run("info", "--memory"));
        Assert.Matches(@"(?m)^Name +ID +Mem\(k\) +Max\(k\) +Claimed\(k\) +Overhead\(k\)$", _xm.Output);
        Assert.Matches(@"(?m)^guest +3 +131072 +\d+ +0 +84$", _xm.Output);
        Assert.Matches(@"(?m)^The machine has 2048 MiB: 512 MiB Domain-0's, 128 MiB the guests', ", _xm.Output);
        Assert.Equal(0, _xm.Run("info", "--json"));
        Assert.Equal(84, Json().GetProperty("domains_memory")[1].GetProperty("overhead_kib").GetInt32());
    }

    [Fact]
    public void A_hypervisor_that_does_not_tell_what_it_keeps_has_no_figure_for_it()
    {
        _xm.Hypervisor.Policy = null;
        Assert.Equal(0, _xm.Run("info", "-m"));
        Assert.Matches(@"(?m)^Domain-0 +0 +524288 .* -$", _xm.Output);
    }

    [Fact]
    public void Memory_is_limited_before_the_guest_is_asked_to_take_it()
    {
        FakeHypervisor.Domain guest = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("mem-set", "-w", "0", "guest", "200"));
        Assert.Equal((200UL * 1024) + 1024, guest.MaximumKiB);
        Assert.Equal("204800", _xm.Store.Nodes["/local/domain/3/memory/target"].Value);
        Assert.Equal(1, _xm.Run("mem-set", "guest", "1G"));
        Assert.Contains("1024 MiB are more than 'guest' can ever have, which is 256 MiB", _xm.Errors);
        Assert.Equal(2, _xm.Run("mem-set", "guest", "much"));
        Assert.Equal(1, _xm.Run("mem-max", "guest", "64"));
        Assert.Contains("'guest' uses 128 MiB", _xm.Errors);
        Assert.Equal(0, _xm.Run("mem-max", "guest", "512"));
        Assert.Equal((512UL * 1024) + 1024, guest.MaximumKiB);
    }

    [Fact]
    public void Vcpu_set_writes_every_availability_and_knows_the_limit()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("vcpu-set", "guest", "1"));
        Assert.Equal("online", _xm.Store.Nodes["/local/domain/3/cpu/0/availability"].Value);
        Assert.Equal("offline", _xm.Store.Nodes["/local/domain/3/cpu/1/availability"].Value);
        Assert.Equal(2, _xm.Run("vcpu-set", "guest", "3"));
        Assert.Contains("COUNT is a number from 1 to 2", _xm.Errors);
    }

    [Fact]
    public void Vcpu_pin_refuses_CPUs_that_the_host_lacks()
    {
        FakeHypervisor.Domain guest = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("vcpu-pin", "guest", "all", "1"));
        Assert.Equal([0u, 1u], guest.Affinity.Keys.Order());
        Assert.Equal(1, _xm.Run("vcpu-pin", "guest", "0", "5"));
        Assert.Contains("the host has CPUs 0 to 1", _xm.Errors);
        Assert.Equal(2, _xm.Run("vcpu-pin", "guest", "7", "0"));
        Assert.Equal(2, _xm.Run("vcpu-pin", "guest", "0", "a-b"));
    }

    [Fact]
    public void Sched_credit_shows_all_and_changes_one()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("sched-credit", "-d", "guest", "-w", "512"));
        Assert.Equal(0, _xm.Run("sched-credit"));
        Assert.Equal(
            "Name                                ID Weight  Cap\n"
            + "Domain-0                             0    256    0\n"
            + "guest                                3    512    0\n", _xm.Output);
        Assert.Equal(2, _xm.Run("sched-credit", "-w", "512"));
        _xm.Hypervisor.Scheduler = global::Xen.Abi.SchedulerId.Null;
        Assert.Equal(1, _xm.Run("sched-credit"));
        Assert.Contains("the scheduler in use is null", _xm.Errors);
    }

    [Fact]
    public void Destroy_ends_the_domain_and_its_entries()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("destroy", "guest"));
        Assert.Equal([0], _xm.Hypervisor.Domains.Keys);
        Assert.DoesNotContain(_xm.Store.Nodes.Keys,
            path => path.StartsWith("/local/domain/3", StringComparison.Ordinal));
        Assert.Equal(1, _xm.Run("destroy", "guest"));
    }

    [Fact]
    public void Destroy_says_how_much_memory_of_the_domain_is_still_in_use()
    {
        _xm.Add(3, "guest").HeldFrames = 12;
        Assert.Equal(0, _xm.Run("destroy", "guest"));
        Assert.Contains("Warning: 'guest' has ended, but 48 KiB of its memory are still in use", _xm.Errors);
        Assert.Equal(12, _xm.Hypervisor.Domains[3].Frames.Count);
        _ = _xm.Add(4, "other");
        Assert.Equal(0, _xm.Run("destroy", "other"));
        Assert.Empty(_xm.Errors);
    }

    [Fact]
    public void Create_with_n_prints_the_plan_and_touches_nothing()
    {
        string file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(file, "kernel = '/boot/k'\nmemory = 64\nvfb = ['x']\n");
        try
        {
            Assert.Equal(0, _xm.Run("create", "-n", file, "memory=256", "name=web"));
            Assert.Contains("name         web\n", _xm.Output);
            Assert.Contains("memory       256 MiB\n", _xm.Output);
            Assert.Contains($"Warning: {file}:3:7: vfb has no effect", _xm.Errors);
            Assert.Empty(_xm.Hypervisor.Calls);
            Assert.Equal(0, _xm.Run("create", "-n", "--json", "-f", file, "name=web"));
            Assert.Equal("all", Json().GetProperty("affinity")[0].GetString());
            Assert.Equal("restart", Json().GetProperty("on_reboot").GetString());

            Assert.Equal(1, _xm.Run("create", file, "memory=lots"));
            Assert.Contains("argument memory: memory is no amount of memory: 'lots'", _xm.Errors);
            Assert.Equal(1, _xm.Run("create", file));
            Assert.Contains("kernel: cannot read /boot/k", _xm.Errors);
            Assert.Equal([0], _xm.Hypervisor.Domains.Keys);
            Assert.Equal(2, _xm.Run("create", file, "surplus"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Create_without_its_file_says_where_it_looked()
    {
        Assert.Equal(1, _xm.Run("create", "no-such-file"));
        Assert.Contains("cannot open the configuration file 'no-such-file'", _xm.Errors);
        Assert.Contains("/etc/xen", _xm.Errors);
    }

    [Fact]
    public void Sysrq_writes_one_letter()
    {
        _ = _xm.Add(3, "guest");
        Assert.Equal(0, _xm.Run("sysrq", "guest", "h"));
        Assert.Equal("h", _xm.Store.Nodes["/local/domain/3/control/sysrq"].Value);
        Assert.Equal(2, _xm.Run("sysrq", "guest", "help"));
        Assert.Contains(StoreOperation.Write, _xm.Store.Requests);
    }
}
