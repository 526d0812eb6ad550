// SPDX-License-Identifier: MIT
//
// Every key that users of xm need: it is read, it has its effect in the domain's description, and a value that cannot be
// meant is refused by a sentence that names it. What the effect then does is shown where it is done.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Dom0.Toolstack.Api;
using Dom0.Toolstack.Config;
using Xunit;

namespace Dom0.Toolstack.Tests.Config;

public sealed class EveryKeyTests
{
    private const string Needed =
        "builder cpu cpu_cap cpu_weight cpus kernel maxmem memory name pool ramdisk uuid vcpu_avail vcpus dhcp extra gateway "
        + "hostname interface ip netmask root disk nics vif on_crash on_poweroff on_reboot restart bootargs bootloader "
        + "tsc_mode nomigrate maxvcpus cap cmdline type bootloader_args bootentry nfs_server nfs_root ipaddr description "
        + "on_xend_start";

    /// <summary>Key, lines of a file, and what its description then says, as JSON.</summary>
    public static TheoryData<string, string, string> Effects => new()
    {
        { "name", "name = 'web'", "\"name\":\"web\"" },
        { "uuid", "uuid = '06ed00fe-1162-4fc4-b5d8-11993ee4a8b9'", "\"uuid\":\"06ed00fe-1162-4fc4-b5d8-11993ee4a8b9\"" },
        { "builder", "builder = 'linux'", "\"kernel\":\"/boot/k\"" },
        { "type", "type = 'pv'", "\"kernel\":\"/boot/k\"" },
        { "kernel", "kernel = '/boot/other'", "\"kernel\":\"/boot/other\"" },
        { "ramdisk", "ramdisk = '/boot/r'", "\"ramdisk\":\"/boot/r\"" },
        { "memory", "memory = 64", "\"memory_kib\":65536" },
        { "maxmem", "maxmem = 256", "\"maximum_memory_kib\":262144" },
        { "vcpus", "vcpus = 2", "\"maximum_vcpus\":2,\"online_vcpus\":[true,true]" },
        { "maxvcpus", "maxvcpus = 3", "\"maximum_vcpus\":3,\"online_vcpus\":[true,false,false]" },
        { "vcpu_avail", "vcpus = 3\nvcpu_avail = 5", "\"online_vcpus\":[true,false,true]" },
        { "cpus", "cpus = '1-2'", "\"affinity\":[\"1-2\"]" },
        { "cpu", "cpu = 3", "\"affinity\":[\"3\"]" },
        { "cpu_weight", "cpu_weight = 512", "\"weight\":512" },
        { "cpu_cap", "cpu_cap = 50", "\"cap\":50" },
        { "cap", "cap = 60", "\"cap\":60" },
        { "pool", "pool = 'fast'", "\"pool\":\"fast\"" },
        { "tsc_mode", "tsc_mode = 'native'", "\"tsc_mode\":2" },
        { "nomigrate", "nomigrate = 1", "\"forbids_migration\":true" },
        { "root", "root = '/dev/xvda1 ro'", "\"command_line\":\"root=/dev/xvda1 ro\"" },
        { "extra", "extra = 'quiet'", "\"command_line\":\"quiet\"" },
        { "cmdline", "cmdline = 'quiet ro'", "\"command_line\":\"quiet ro\"" },
        { "ip", "ip = '10.0.0.2'", "ip=10.0.0.2:127.0.255.255::::eth0:off" },
        { "ipaddr", "ipaddr = ['10.0.0.2']", "ip=10.0.0.2:127.0.255.255::::eth0:off" },
        { "netmask", "ip = '10.0.0.2'\nnetmask = '255.0.0.0'", ":255.0.0.0:" },
        { "gateway", "ip = '10.0.0.2'\ngateway = '10.0.0.1'", ":10.0.0.1:" },
        { "hostname", "ip = '10.0.0.2'\nhostname = 'web'", ":web:eth0:off" },
        { "interface", "ip = '10.0.0.2'\ninterface = 'eth1'", ":eth1:off" },
        { "dhcp", "dhcp = 'dhcp'", "ip=:127.0.255.255::::eth0:dhcp" },
        { "nfs_server", "nfs_server = '10.0.0.9'\nip = '10.0.0.2'", "ip=10.0.0.2:10.0.0.9:" },
        { "nfs_root", "nfs_server = '10.0.0.9'\nnfs_root = '/srv'", "nfsroot=10.0.0.9:/srv" },
        { "disk", "disk = ['phy:/dev/x,xvda,w']", "\"disks\":[\"phy:/dev/x,xvda,w\"]" },
        { "vif", "vif = ['mac=00:16:3e:00:00:01']", "00:16:3e:00:00:01" },
        { "nics", "nics = 1", "\"vifs\":[\"mac=00:16:3e:" },
        { "on_poweroff", "on_poweroff = 'preserve'", "\"on_poweroff\":\"preserve\"" },
        { "on_reboot", "on_reboot = 'rename-restart'", "\"on_reboot\":\"rename-restart\"" },
        { "on_crash", "on_crash = 'coredump-restart'", "\"on_crash\":\"coredump-restart\"" },
        { "restart", "restart = 'never'", "\"on_reboot\":\"destroy\"" },
        { "bootloader", "bootloader = 'pygrub'\ndisk = ['phy:/dev/x,xvda,w']", "\"boot_loader\":\"pygrub\"" },
        { "bootargs", "bootloader = 'l'\ndisk = ['phy:/dev/x,xvda,w']\nbootargs = '-x'", "\"boot_loader_arguments\":[\"-x\"]" },
        {
            "bootloader_args", "bootloader = 'l'\ndisk = ['phy:/dev/x,xvda,w']\nbootloader_args = ['-y']",
            "\"boot_loader_arguments\":[\"-y\"]"
        },
        {
            "bootentry", "bootloader = 'l'\ndisk = ['phy:/dev/x,xvda,w']\nbootentry = '2'",
            "\"boot_loader_arguments\":[\"--entry=2\"]"
        },
        { "description", "description = 'shop'", "\"description\":\"shop\"" },
        { "on_xend_start", "on_xend_start = 'start'", "\"starts_with_host\":true" },
    };

    [Theory]
    [MemberData(nameof(Effects))]
    public void A_key_has_its_effect(string key, string lines, string effect)
    {
        Assert.Contains(effect, Json(lines, out IReadOnlyList<string> warnings));
        Assert.Empty(warnings);
        string without = string.Join('\n', lines.Split('\n').Where(line => !line.StartsWith(key + " ", StringComparison.Ordinal)));
        if (key is not ("builder" or "type"))
        {
            Assert.DoesNotContain(effect, Json(without, out _));
        }
    }

    [Fact]
    public void No_key_is_left_out_here_or_in_the_manual()
    {
        string manual = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "xm.cfg.5"));
        string[] words = [.. manual.Split('\n').Where(line => line.StartsWith(".B", StringComparison.Ordinal))
            .SelectMany(line => line.Split(' ', '"', ',')).Where(word => word.Length > 0)];
        string[] tested = [.. Effects.Select(row => (string)row[0])];
        foreach (string key in Needed.Split(' '))
        {
            Assert.Contains(key, tested);
            Assert.Contains(key, words);
            Assert.Equal(ConfigKeyUse.Honoured, ConfigKeys.Find(key)!.Use);
        }
    }

    [Theory]
    [InlineData("name = '../x'", "name")]
    [InlineData("uuid = 'x'", "uuid")]
    [InlineData("builder = 'hvm'", "builder")]
    [InlineData("type = 'pvh'", "type")]
    [InlineData("memory = 'much'", "memory")]
    [InlineData("memory = 64\nmaxmem = 32", "maxmem")]
    [InlineData("vcpus = 0", "vcpus")]
    [InlineData("vcpus = 4\nmaxvcpus = 2", "maxvcpus")]
    [InlineData("vcpus = 2\nvcpu_avail = 2", "vcpu_avail")]
    [InlineData("cpus = 'x'", "cpus")]
    [InlineData("cpu_weight = 0", "cpu_weight")]
    [InlineData("cpu_cap = -1", "cpu_cap")]
    [InlineData("cap = -1", "cap")]
    [InlineData("tsc_mode = 7", "tsc_mode")]
    [InlineData("nomigrate = 'perhaps'", "nomigrate")]
    [InlineData("nfs_root = '/srv'", "nfs_root")]
    [InlineData("disk = ['x']", "disk")]
    [InlineData("vif = ['mac=1']", "mac")]
    [InlineData("nics = 'two'", "nics")]
    [InlineData("on_poweroff = 'dance'", "on_poweroff")]
    [InlineData("on_reboot = 'dance'", "on_reboot")]
    [InlineData("on_crash = 'dance'", "on_crash")]
    [InlineData("restart = 'dance'", "restart")]
    [InlineData("bootloader = 'pygrub'", "bootloader")]
    [InlineData("on_xend_start = 'dance'", "on_xend_start")]
    [InlineData("extra = ['a']", "extra")]
    [InlineData("root = ['a']", "root")]
    [InlineData("ramdisk = ['a']", "ramdisk")]
    [InlineData("pool = ['a']", "pool")]
    public void A_value_that_cannot_be_meant_is_refused_with_key_and_place(string lines, string key)
    {
        ConfigException refusal = Assert.Throws<ConfigException>(() => Json(lines, out _));
        Assert.Contains(key, refusal.Message);
        Assert.Matches(@"guest\.cfg:\d+", refusal.Message);
    }

    private static string Json(string lines, out IReadOnlyList<string> warnings) => JsonSerializer.Serialize(
        DomainConfigReader.Read(ConfigInterpreter.Evaluate(
            "kernel = '/boot/k'\n" + lines + "\n", "/etc/xen/guest.cfg", new Dictionary<string, string>()), out warnings),
        ApiJson.Default.DomainConfig);
}
