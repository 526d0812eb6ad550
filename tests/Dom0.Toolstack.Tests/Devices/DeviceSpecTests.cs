// SPDX-License-Identifier: MIT
using System.Linq;
using Dom0.Toolstack.Devices;
using Xunit;

namespace Dom0.Toolstack.Tests.Devices;

public sealed class DeviceSpecTests
{
    [Theory]
    [InlineData("xvda", 51712)]
    [InlineData("xvda1", 51713)]
    [InlineData("xvdb", 51728)]
    [InlineData("xvdp15", 51967)]
    [InlineData("xvdq", 0x10001000)]
    [InlineData("xvda16", 0x10000010)]
    [InlineData("xvdaa", 0x10001a00)]
    [InlineData("d0p1", 51713)]
    [InlineData("d536p37", 0x10021825)]
    [InlineData("sda", 2048)]
    [InlineData("sdp15", 2303)]
    [InlineData("hda", 768)]
    [InlineData("hdb1", 833)]
    [InlineData("hdc", 5632)]
    [InlineData("hdd63", 5759)]
    [InlineData("51712", 51712)]
    [InlineData("0xca00", 51712)]
    public void A_disks_name_is_a_number(string name, int number)
    {
        Assert.True(DiskNumber.TryParse(name, out int read));
        Assert.Equal(number, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("xvd")]
    [InlineData("xvda0")]
    [InlineData("xvda01")]
    [InlineData("xvda256")]
    [InlineData("sdq")]
    [InlineData("sda16")]
    [InlineData("hde")]
    [InlineData("hda64")]
    [InlineData("xvdA")]
    [InlineData("vda")]
    [InlineData("d1048576")]
    [InlineData("d0p1p2")]
    [InlineData("xvdzzzzzzzz")]
    [InlineData("-1")]
    [InlineData("0x80000000")]
    [InlineData("99999999999")]
    public void What_names_no_disk_has_no_number(string name) => Assert.False(DiskNumber.TryParse(name, out _));

    [Theory]
    [InlineData("phy:/dev/vg/root,xvda,w", DiskSource.BlockDevice, "/dev/vg/root", DiskMode.Writable, false)]
    [InlineData("phy:vg/root,xvda,r", DiskSource.BlockDevice, "/dev/vg/root", DiskMode.ReadOnly, false)]
    [InlineData("file:/p,xvda,w!", DiskSource.File, "/p", DiskMode.SharedWritable, false)]
    [InlineData("tap:aio:/p,xvda,w", DiskSource.File, "/p", DiskMode.Writable, false)]
    [InlineData("tap2:aio:/p,xvda,r", DiskSource.File, "/p", DiskMode.ReadOnly, false)]
    [InlineData("file:/p,xvda:cdrom", DiskSource.File, "/p", DiskMode.ReadOnly, true)]
    [InlineData("/p,raw,xvda,rw", DiskSource.Either, "/p", DiskMode.Writable, false)]
    [InlineData("/p,,xvda", DiskSource.Either, "/p", DiskMode.Writable, false)]
    [InlineData("/p, raw, xvda, ro, cdrom", DiskSource.Either, "/p", DiskMode.ReadOnly, true)]
    [InlineData("format=raw, vdev=xvda, access=rw, target=/p,with,commas", DiskSource.Either, "/p,with,commas",
        DiskMode.Writable, false)]
    [InlineData("vdev=xvda,backendtype=phy,devtype=cdrom,target=phy:/p", DiskSource.BlockDevice, "/p", DiskMode.ReadOnly,
        true)]
    public void A_disk_of_either_language_is_read(string text, DiskSource source, string target, DiskMode mode,
        bool isCdrom)
    {
        DiskSpec disk = DiskSpec.Parse(text);
        Assert.Equal((source, target, mode, isCdrom), (disk.Source, disk.Target, disk.Mode, disk.IsCdrom));
        Assert.Equal(("xvda", 51712), (disk.Name, disk.Number));
    }

    [Theory]
    [InlineData("", "no name")]
    [InlineData("phy:/dev/x", "no name")]
    [InlineData("phy:/dev/x,vda,w", "'vda' names no virtual disk")]
    [InlineData("phy:/dev/x,xvda,rx", "the mode 'rx' is none of r, w, w!")]
    [InlineData("phy:,xvda,w", "no target")]
    [InlineData("file:rel,xvda,w", "no absolute path")]
    [InlineData("nbd:host,xvda,w", "the type 'nbd' is none of")]
    [InlineData("tap:qcow2:/p,xvda,w", "back end that Linux does not have")]
    [InlineData("/p,qcow2,xvda,w", "the format qcow2 is not served")]
    [InlineData("format=vhd,vdev=xvda,target=/p", "the format vhd is not served")]
    [InlineData("file:/p,xvda:floppy,w", "neither disk nor cdrom")]
    [InlineData("file:/p,xvda,w,more", "one word too many")]
    [InlineData("vdev=xvda,vdev=xvdb,target=/p", "vdev is given twice")]
    [InlineData("file:/p,xvda,w,target=/q", "target is given twice")]
    [InlineData("vdev=xvda,speed=9,target=/p", "'speed' is no key")]
    [InlineData("vdev=xvda,script=block-nbd,target=/p", "scripts for disks")]
    [InlineData("vdev=xvda,backend=2,target=/p", "cannot be in domain '2'")]
    [InlineData("vdev=xvda,backendtype=qdisk,target=/p", "'qdisk' is not offered")]
    public void A_disk_that_cannot_be_is_refused_with_its_reason(string text, string reason)
    {
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => DiskSpec.Parse(text));
        Assert.StartsWith($"disk '{text}': ", refusal.Message);
        Assert.Contains(reason, refusal.Message);
        Assert.NotNull(refusal.Remedy);
    }

    [Fact]
    public void A_network_interface_has_the_defaults_of_xm_and_takes_all_its_keys()
    {
        Assert.Equal(new VifSpec(), VifSpec.Parse(""));
        Assert.Equal("xenbr0", VifSpec.Parse("").Bridge);
        VifSpec vif = VifSpec.Parse("type=ioemu, model=e1000,mac=0:16:3E:1:2:3, bridge=br1,vifname=web,"
            + "ip=10.0.0.2/24 fe80::1, rate=10Mb/s@20ms,script=vif-route,mtu=9000,backend=0");
        Assert.Equal(("00:16:3e:01:02:03", "br1", "web", "10.0.0.2/24 fe80::1", 9000),
            (vif.Mac, vif.Bridge, vif.InterfaceName, vif.Addresses, vif.Mtu));
        Assert.Equal("/etc/xen/scripts/vif-route", vif.Script);
        Assert.Equal("25000,20000", vif.Rate!.Value.Node);
    }

    [Theory]
    [InlineData("1MB/s", "50000,50000")]
    [InlineData("8Kb/s@1s", "1000,1000000")]
    [InlineData("1GB/s@100us", "100000,100")]
    [InlineData("7b/s@2s", "1,2000000")]
    [InlineData("12345678901b/s@3us", "4629,3")]
    public void A_rate_is_bytes_in_an_interval(string text, string node)
    {
        Assert.True(TransferRate.TryParse(text, out TransferRate rate));
        Assert.Equal(node, rate.Node);
        Assert.True(TransferRate.TryReadNode(node, out TransferRate read) && TransferRate.TryParse(read.Text, out read));
        Assert.Equal(rate, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0,50000")]
    [InlineData("5,0")]
    [InlineData("5")]
    [InlineData("-1,7")]
    [InlineData("5000000000,7")]
    public void What_the_back_end_reads_as_no_rate_is_none(string node) =>
        Assert.False(TransferRate.TryReadNode(node, out _));

    [Theory]
    [InlineData("mac=01:16:3e:00:00:01", "no address that an interface can have")]
    [InlineData("mac=00:00:00:00:00:00", "no address that an interface can have")]
    [InlineData("mac=00:16:3e:00:00", "no address that an interface can have")]
    [InlineData("mac=00:16:3e:00:00:1g", "no address that an interface can have")]
    [InlineData("bridge=a/b", "cannot name a bridge")]
    [InlineData("bridge=sixteencharacter", "cannot name a bridge")]
    [InlineData("vifname=..", "cannot name an interface")]
    [InlineData("vifname=eth%d", "cannot name an interface")]
    [InlineData("ip=10.0.0.300", "not one or more addresses")]
    [InlineData("rate=fast", "no rate")]
    [InlineData("rate=0Mb/s", "no rate")]
    [InlineData("rate=1Mb/s@0ms", "no rate")]
    [InlineData("rate=9999999999GB/s", "no rate")]
    [InlineData("script=../../bin/sh", "no script's name")]
    [InlineData("mtu=10", "not from 68")]
    [InlineData("handle=-1", "not from 0")]
    [InlineData("handle=1024", "not from 0")]
    [InlineData("backend=net", "cannot be in domain 'net'")]
    [InlineData("bridge", "not KEY=VALUE")]
    [InlineData("mac=", "not KEY=VALUE")]
    [InlineData("bridge=a,bridge=b", "given twice")]
    [InlineData("colour=red", "no key of a network interface")]
    public void An_interface_that_cannot_be_is_refused_with_its_reason(string text, string reason)
    {
        ToolstackException refusal = Assert.Throws<ToolstackException>(() => VifSpec.Parse(text));
        Assert.Contains(reason, refusal.Message);
        Assert.NotNull(refusal.Remedy);
    }

    [Fact]
    public void Completed_entries_keep_their_addresses()
    {
        string[] given = ["", "bridge=a", "mac=00:16:3e:01:02:03"];
        string[] complete = [.. VifSpec.Complete(given)];
        Assert.Equal(complete, VifSpec.Complete(complete));
        Assert.Equal(given[2], complete[2]);
        Assert.Equal("a", VifSpec.Parse(complete[1]).Bridge);
        Assert.All(complete, entry => Assert.Matches("^00:16:3e:[0-7]", VifSpec.Parse(entry).Mac));
        Assert.Equal(3, complete.Select(entry => VifSpec.Parse(entry).Mac).Distinct().Count());
    }
}
