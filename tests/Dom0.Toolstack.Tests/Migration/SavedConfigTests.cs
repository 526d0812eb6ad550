// SPDX-License-Identifier: MIT
using System;
using System.Text;
using System.Text.Json;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Migration;
using Xunit;

namespace Dom0.Toolstack.Tests.Migration;

public sealed class SavedConfigTests
{
    private static string Refused(string json) =>
        Assert.Throws<FormatException>(() => SavedConfig.Parse(Encoding.UTF8.GetBytes(json))).Message;

    private static string Refused(DomainConfig config) =>
        Assert.Throws<FormatException>(() => SavedConfig.Parse(SavedConfig.Write(config, "linux"))).Message;

    [Fact]
    public void The_outer_shape_is_libxls()
    {
        using JsonDocument json = JsonDocument.Parse(SavedConfig.Write(SavedFiles.Config, "linux"));
        Assert.Equal("pv", json.RootElement.GetProperty("c_info").GetProperty("type").GetString());
        Assert.Equal(2, json.RootElement.GetProperty("b_info").GetProperty("max_vcpus").GetInt32());
        Assert.Equal(2, json.RootElement.GetProperty("b_info").GetProperty("avail_vcpus").GetArrayLength());
        Assert.Equal("restart", json.RootElement.GetProperty("on_reboot").GetString());
    }

    [Theory]
    [InlineData("", "no JSON")]
    [InlineData("{", "no JSON")]
    [InlineData("[]", "another kind")]
    [InlineData("{}", "another kind")]
    [InlineData("""{"xm": null}""", "'xm' lacks")]
    [InlineData("""{"xm": {"format": 1}}""", "lacks")]
    [InlineData("""{"xm": {"format": 1, "guest_os": "x", "config": {}}}""", "no JSON")]
    [InlineData("""{"xm": 7}""", "no JSON")]
    [InlineData("""{"c_info": {"type": "hvm"}, "b_info": {}}""", "type 'hvm'")]
    [InlineData("""{"c_info": {"type": "pv", "name": "n", "uuid": "u"}, "b_info": {}}""", "no UUID")]
    [InlineData("""{"c_info": {"type": 1}, "b_info": {}}""", "another kind")]
    [InlineData("""{"c_info": {"type": "pv"}, "b_info": {"max_memkb": -1}}""", "max_memkb")]
    [InlineData("""{"c_info": {"type": "pv"}, "b_info": {"max_memkb": 1e30}}""", "max_memkb")]
    [InlineData("""{"disks": [{"vdev": "xvda"}], "c_info": {}, "b_info": {}}""", "has disks")]
    [InlineData("""{"disks": 1, "c_info": {}, "b_info": {}}""", "another kind")]
    public void What_is_no_configuration_is_refused(string json, string reason) =>
        Assert.Contains(reason, Refused(json));

    [Fact]
    public void Values_that_no_domain_can_have_are_refused()
    {
        DomainConfig good = SavedFiles.Config;
        Assert.Contains("name", Refused(good with { Name = "a/b" }));
        Assert.Contains("name", Refused(good with { Name = "17" }));
        Assert.Contains("virtual CPUs", Refused(good with { MaximumVcpus = 0 }));
        Assert.Contains("virtual CPUs", Refused(good with { MaximumVcpus = 100_000 }));
        Assert.Contains("lists", Refused(good with { OnlineVcpus = [true] }));
        Assert.Contains("lists", Refused(good with { Affinity = [] }));
        Assert.Contains("memory", Refused(good with { MaximumMemoryKib = ulong.MaxValue, MemoryKib = 1 }));
        Assert.Contains("more memory", Refused(good with { MemoryKib = 4096 }));
        Assert.Contains("weight", Refused(good with { Weight = 70_000 }));
        Assert.Contains("cap", Refused(good with { Cap = -1 }));
        Assert.Contains("time stamp", Refused(good with { TscMode = 9 }));
        Assert.Contains("texts", Refused(good with { CommandLine = new string('x', 5000) }));
        Assert.Contains("disks", Refused(good with { Disks = ["phy:a,b,w"] }));
    }
}
