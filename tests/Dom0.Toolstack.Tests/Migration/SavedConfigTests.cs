// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
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
    [InlineData("""{"pcidevs": [{"dev": 3}], "c_info": {}, "b_info": {}}""", "has pcidevs")]
    [InlineData("""{"pcidevs": 1, "c_info": {}, "b_info": {}}""", "another kind")]
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
    }

    [Fact]
    public void Devices_that_cannot_be_are_refused()
    {
        static string With(string disks, string vifs) => Refused($$$"""
            {"xm": {"format": 1, "guest_os": "linux", "config": {"name": "g", "uuid": "06ed00fe-1162-4fc4-b5d8-11993ee4a8b9",
              "kernel": "/k", "command_line": "", "memory_kib": 1024, "maximum_memory_kib": 1024, "maximum_vcpus": 1, "online_vcpus": [true],
              "affinity": ["all"], "disks": {{{disks}}}, "vifs": {{{vifs}}} } } }
            """);
        Assert.Contains("absolute path", With("""["file:a,xvda,w"]""", "[]"));
        Assert.Contains("two disks", With("""["file:/a,xvda,w", "file:/b,51712,w"]""", "[]"));
        Assert.Contains("no key of a network interface", With("[]", """["a=b"]"""));
        Assert.Contains("two interfaces have the handle 3", With("[]", """["handle=3", "handle=3"]"""));
        Assert.Contains("script that is not in", With("[]", """["script=/tmp/own"]"""));
        Assert.Contains("lists of disks", With("null", "[]"));
        Assert.Contains("lists of disks", With("[null]", "[]"));
        Assert.Contains("lists of disks", With($"[\"{new string('x', 5000)}\"]", "[]"));
    }

    [Fact]
    public void Devices_are_written_and_read_in_libxls_form()
    {
        DomainConfig config = SavedFiles.Config with
        {
            Disks = ["phy:/dev/vg/a,xvda,w!", "format=raw,vdev=xvdc,devtype=cdrom,access=r,target=/b,c"],
            Vifs = ["handle=2,mac=00:16:3e:01:02:03,bridge=br0,vifname=web,rate=10Mb/s@20ms,mtu=9000,ip=10.0.0.2",
                "script=vif-route"],
        };
        using JsonDocument json = JsonDocument.Parse(SavedConfig.Write(config, "linux"));
        Assert.Equal(["access=w,vdev=xvda,format=raw,target=/dev/vg/a".Split(',').Order(),
            "access=r,vdev=xvdc,format=raw,devtype=cdrom,target=/b,c".Split(',').Order()],
            LibxlDevices.ReadDisks(json.RootElement).Select(entry => entry.Split(',').Order()));
        IReadOnlyList<string> vifs = LibxlDevices.ReadVifs(json.RootElement);
        Assert.Equal(VifSpec.Parse(config.Vifs[0]), VifSpec.Parse(vifs[0]));
        Assert.Equal("/etc/xen/scripts/vif-route", VifSpec.Parse(vifs[1]).Script);
        Assert.Equal(1, VifSpec.Parse(vifs[1]).Handle);

        // As libxl writes them itself.
        using JsonDocument foreign = JsonDocument.Parse("""
            {"disks": [{"pdev_path": "/a", "vdev": "xvda", "backend": "phy", "format": "raw", "readwrite": 1,
                        "script": "block", "discard_enable": "True"}],
             "nics": [{"devid": 0, "mac": "00:16:3e:00:00:01", "bridge": "br0", "nictype": "vif",
                       "script": "/etc/xen/scripts/vif-bridge", "rate_interval_usecs": 0}]}
            """);
        Assert.Equal(["vdev=xvda,access=w,format=raw,target=/a"], LibxlDevices.ReadDisks(foreign.RootElement));
        Assert.Equal(["handle=0,mac=00:16:3e:00:00:01,bridge=br0"], LibxlDevices.ReadVifs(foreign.RootElement));
    }
}
