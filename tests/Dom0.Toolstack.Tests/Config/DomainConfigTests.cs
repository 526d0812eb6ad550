// SPDX-License-Identifier: MIT
using System;
using System.Collections.Generic;
using System.Linq;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Domains;
using Xunit;

namespace Dom0.Toolstack.Tests.Config;

public sealed class DomainConfigTests
{
    private static DomainConfig Read(string source, out IReadOnlyList<string> warnings) =>
        DomainConfigReader.Read(
            ConfigInterpreter.Evaluate(
                "kernel = '/boot/k'\n" + source, "/etc/xen/guest.cfg", new Dictionary<string, string>()),
            out warnings);

    private static DomainConfig Read(string source) => Read(source, out _);

    private static ConfigException Refusal(string source) => Assert.Throws<ConfigException>(() => Read(source));

    [Fact]
    public void A_file_that_names_a_kernel_alone_gets_the_defaults_of_xm()
    {
        DomainConfig config = Read("");
        Assert.Equal("guest", config.Name);
        Assert.Equal("/boot/k", config.Kernel);
        Assert.Null(config.Ramdisk);
        Assert.Equal(128UL * 1024, config.MemoryKib);
        Assert.Equal(config.MemoryKib, config.MaximumMemoryKib);
        Assert.Equal(1, config.MaximumVcpus);
        Assert.Equal([true], config.OnlineVcpus);
        Assert.Equal(CpuSet.All, Assert.Single(config.Affinity));
        Assert.Equal(LifecycleAction.Destroy, config.OnPoweroff);
        Assert.Equal(LifecycleAction.Restart, config.OnReboot);
        Assert.Equal(LifecycleAction.Restart, config.OnCrash);
        Assert.NotEqual(Guid.Empty, config.Uuid);
        Assert.NotEqual(config.Uuid, Read("").Uuid);
    }

    [Fact]
    public void All_honoured_keys_arrive()
    {
        DomainConfig config = Read("""
            name = 'web'
            uuid = '06ed00fe-1162-4fc4-b5d8-11993ee4a8b9'
            builder = 'linux'
            ramdisk = '/boot/r'
            memory = 256
            maxmem = '1G'
            vcpus = 2
            maxvcpus = 4
            cpus = ['0', 1, '0-3,^2']
            cpu_weight = 512
            cpu_cap = 50
            pool = 'fast'
            tsc_mode = 'native'
            nomigrate = 1
            on_poweroff = 'preserve'
            on_reboot = 'rename-restart'
            on_crash = 'coredump-destroy'
            description = 'a web server'
            """, out IReadOnlyList<string> warnings);
        Assert.Empty(warnings);
        Assert.Equal("web", config.Name);
        Assert.Equal("06ed00fe-1162-4fc4-b5d8-11993ee4a8b9", config.Uuid.ToString());
        Assert.Equal("/boot/r", config.Ramdisk);
        Assert.Equal(256UL * 1024, config.MemoryKib);
        Assert.Equal(1024UL * 1024, config.MaximumMemoryKib);
        Assert.Equal(4, config.MaximumVcpus);
        Assert.Equal([true, true, false, false], config.OnlineVcpus);
        Assert.Equal(["0", "1", "0-1,3", CpuSet.All.ToString()], config.Affinity.Select(cpus => cpus.ToString()));
        Assert.Equal(512, config.Weight);
        Assert.Equal(50, config.Cap);
        Assert.Equal("fast", config.Pool);
        Assert.Equal(2, config.TscMode);
        Assert.True(config.ForbidsMigration);
        Assert.Equal(LifecycleAction.Preserve, config.OnPoweroff);
        Assert.Equal(LifecycleAction.RenameRestart, config.OnReboot);
        Assert.Equal(LifecycleAction.CoredumpDestroy, config.OnCrash);
        Assert.Equal("a web server", config.Description);
    }

    [Theory]
    [InlineData("root = '/dev/sda1 ro'\nextra = '4'", "root=/dev/sda1 ro 4")]
    [InlineData("root = 'root=/dev/xvda'", "root=/dev/xvda")]
    [InlineData("extra = 'quiet'", "quiet")]
    [InlineData("cmdline = 'console=hvc0'", "console=hvc0")]
    [InlineData("dhcp = 'dhcp'", "ip=:127.0.255.255::::eth0:dhcp")]
    [InlineData("ip = '10.0.0.2'\ngateway = '10.0.0.1'\nnetmask = '255.0.0.0'\nhostname = 'h'\nextra = 'x'",
        "ip=10.0.0.2:127.0.255.255:10.0.0.1:255.0.0.0:h:eth0:off x")]
    [InlineData("root = '/dev/nfs'\nnfs_server = '10.0.0.9'\nnfs_root = '/srv/g'",
        "root=/dev/nfs nfsroot=10.0.0.9:/srv/g")]
    public void The_command_line_is_composed_as_by_xm(string source, string expected) =>
        Assert.Equal(expected, Read(source).CommandLine);

    [Theory]
    [InlineData("restart = 'always'", LifecycleAction.Restart, LifecycleAction.Restart)]
    [InlineData("restart = 'never'", LifecycleAction.Destroy, LifecycleAction.Destroy)]
    [InlineData("restart = 'onreboot'", LifecycleAction.Destroy, LifecycleAction.Restart)]
    [InlineData("restart = 'never'\non_reboot = 'preserve'", LifecycleAction.Destroy, LifecycleAction.Preserve)]
    public void The_old_restart_key_sets_the_actions_that_no_newer_key_sets(
        string source, LifecycleAction poweroff, LifecycleAction reboot)
    {
        Assert.Equal(poweroff, Read(source).OnPoweroff);
        Assert.Equal(reboot, Read(source).OnReboot);
    }

    [Theory]
    [InlineData("memory = 'lots'", "memory is no amount of memory")]
    [InlineData("memory = 1", "in which no kernel starts")]
    [InlineData("memory = 256\nmaxmem = 128", "maxmem is 128 MiB, less than memory")]
    [InlineData("vcpus = 0", "vcpus is 0; from 1 to")]
    [InlineData("vcpus = 4\nmaxvcpus = 2", "maxvcpus is 2, less than vcpus")]
    [InlineData("vcpus = 'two'", "vcpus wants a number")]
    [InlineData("vcpu_avail = 2\nvcpus = 2", "leaves out virtual CPU 0")]
    [InlineData("cpus = '3-1'", "ends before it begins")]
    [InlineData("cpus = 'x'", "neither a CPU number")]
    [InlineData("cpus = '1,^1'", "leaves no CPU")]
    [InlineData("name = 'a b'", "cannot name a domain")]
    [InlineData("name = '123'", "cannot name a domain")]
    [InlineData("name = '../0'", "cannot name a domain")]
    [InlineData("uuid = 'x'", "is no UUID")]
    [InlineData("builder = 'hvm'", "'hvm' guest")]
    [InlineData("type = 'pvh'", "'pvh' guest")]
    [InlineData("on_crash = 'explode'", "'explode' is no action")]
    [InlineData("disk = 5", "disk wants a list of strings")]
    [InlineData("disk = ['a', 5]", "disk wants strings")]
    [InlineData("kernel = ['a']", "kernel wants a string")]
    [InlineData("tsc_mode = 9", "tsc_mode is 9")]
    [InlineData("nfs_root = '/x'", "wants nfs_server")]
    public void A_value_that_cannot_be_meant_is_refused_at_its_place(string source, string words)
    {
        ConfigException refusal = Refusal(source);
        Assert.Contains(words, refusal.Message);
        Assert.True(refusal.Position.Line > 0, refusal.Message);
    }

    [Fact]
    public void A_command_line_that_does_not_fit_is_refused() =>
        Assert.Contains("there is room for 1023", Refusal($"extra = '{new string('x', 1024)}'").Message);

    [Fact]
    public void A_file_without_kernel_is_refused()
    {
        ConfigDocument document = ConfigInterpreter.Evaluate("memory = 64\n", "f", new Dictionary<string, string>());
        ConfigException refusal = Assert.Throws<ConfigException>(() => DomainConfigReader.Read(document, out _));
        Assert.Contains("no kernel is set", refusal.Message);
    }

    [Fact]
    public void A_boot_loader_needs_a_disk_and_no_kernel()
    {
        Assert.Contains("there is no disk", Refusal("bootloader = 'pygrub'").Message);
        ConfigDocument document = ConfigInterpreter.Evaluate("""
            memory = 64
            bootloader = 'pygrub'
            bootargs = '-i --offset=1'
            bootloader_args = ['--debug', 'a b']
            bootentry = 'Debian'
            extra = 'quiet'
            disk = ['phy:/dev/x,xvda,w']
            """, "f", new Dictionary<string, string>());
        DomainConfig config = DomainConfigReader.Read(document, out IReadOnlyList<string> warnings);
        Assert.Empty(warnings);
        Assert.Equal(("pygrub", "", "quiet"), (config.BootLoader, config.Kernel, config.CommandLine));
        Assert.Equal(["-i", "--offset=1", "--debug", "a b", "--entry=Debian"], config.BootLoaderArguments);
        DomainConfigCheck.Check(config);
        Assert.Contains("bootloader", Assert.Throws<ToolstackException>(
            () => DomainConfigCheck.Check(config with { Disks = [] })).Message);
    }

    [Fact]
    public void A_registered_domain_may_start_with_the_host()
    {
        Assert.True(Read("on_xend_start = 'start'").StartsWithHost);
        Assert.False(Read("on_xend_start = 'ignore'").StartsWithHost);
        Assert.Contains("on_xend_start", Refusal("on_xend_start = 'perhaps'").Message);
    }

    [Fact]
    public void Keys_without_effect_are_named_with_place_and_reason()
    {
        _ = Read("""
            vif = ['bridge=xenbr0']
            disk = []
            acpi = 1
            vnc = 0
            bootargs = '--kernel=0'
            memmory = 64
            helper = 'x'
            extra = helper
            """, out IReadOnlyList<string> warnings);
        Assert.Collection(warnings,
            boot => Assert.Contains("bootargs has no effect", boot),
            typo => Assert.Contains("'memmory' is no known key and has no effect; did you mean 'memory'?", typo),
            hvm => Assert.Contains("ignored: acpi, vnc", hvm));
    }

    [Fact]
    public void Devices_are_checked_where_they_are_written()
    {
        DomainConfig config = Read("disk = ['phy:/dev/x,xvda,w']\nvif = ['mac=00:16:3e:01:02:03']\nnics = 3");
        Assert.Equal(["phy:/dev/x,xvda,w"], config.Disks);
        Assert.Equal(3, config.Vifs.Count);
        Assert.All(config.Vifs, vif => Assert.StartsWith("mac=00:16:3e:", vif));
        Assert.Contains("/etc/xen/guest.cfg:2:8: disk 'phy:/dev/x,nodisk,w': 'nodisk' names no virtual disk",
            Refusal("disk = ['phy:/dev/x,nodisk,w']").Message);
        Assert.Contains("two disks are called d0", Refusal("disk = ['phy:/x,xvda,w', 'phy:/y,d0,w']").Message);
        Assert.Contains("two interfaces have the address 00:16:3e:01:02:03",
            Refusal("vif = ['mac=00:16:3e:01:02:03', 'mac=0:16:3E:1:2:3']").Message);
        Assert.Contains("nics is 65", Refusal("nics = 65").Message);
        DomainConfigCheck.Check(config);
        Assert.Contains("names no virtual disk", Assert.Throws<ToolstackException>(
            () => DomainConfigCheck.Check(config with { Disks = ["phy:/x,y,w"] })).Message);
    }

    [Theory]
    [InlineData("256", 256UL * 1024)]
    [InlineData("256M", 256UL * 1024)]
    [InlineData("256mb", 256UL * 1024)]
    [InlineData("2G", 2UL * 1024 * 1024)]
    [InlineData("4096 KiB", 4096UL)]
    public void An_amount_of_memory_is_read(string text, ulong kiB)
    {
        Assert.True(MemorySize.TryParse(text, out ulong read));
        Assert.Equal(kiB, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-5")]
    [InlineData("1.5G")]
    [InlineData("5X")]
    [InlineData("99999999999999999999")]
    [InlineData("999999999999T")]
    public void What_is_no_amount_of_memory_is_refused(string text) => Assert.False(MemorySize.TryParse(text, out _));

    [Theory]
    [InlineData("all", 8, "any cpu")]
    [InlineData("0-3,5", 8, "0-3,5")]
    [InlineData("0-3,^2", 8, "0-1,3")]
    [InlineData("^0", 2, "1-4095")]
    [InlineData("0-3", 4, "any cpu")]
    [InlineData("3", 1, "3")]
    public void A_set_of_CPUs_is_read_and_printed(string text, int cpus, string expected) =>
        Assert.Equal(expected, CpuSet.Parse(text).Describe(cpus));

    [Fact]
    public void A_set_of_CPUs_survives_the_way_through_a_bitmap()
    {
        CpuSet set = CpuSet.Parse("0,7-9,63-64,4095");
        byte[] bitmap = new byte[CpuSet.Limit / 8];
        set.CopyTo(bitmap);
        Assert.Equal(0x81, bitmap[0]);
        Assert.Equal(set, CpuSet.FromBitmap(bitmap));
        Assert.NotEqual(set, CpuSet.All);
    }
}
