// SPDX-License-Identifier: MIT
using System;
using System.IO;
using System.Linq;
using Dom0.Toolstack.Config;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Domains;
using Dom0.Toolstack.Migration;
using Dom0.Toolstack.Tests.Fakes;
using Xunit;

namespace Dom0.Toolstack.Tests.Migration;

/// <summary>Domains with disks and network interfaces, saved and restored.</summary>
public sealed class SavedDeviceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("saved-devices-").FullName;
    private readonly FakeGuest _guest = new();
    private readonly FakeHostDevices _host;
    private readonly DeviceManager _devices;

    public SavedDeviceTests()
    {
        _host = new FakeHostDevices(_guest.Server);
        _devices = new DeviceManager(_guest.Store, _host);
    }

    private string File => Path.Combine(_folder, "file");

    public void Dispose()
    {
        _guest.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private void Attach(params string[] entries)
    {
        foreach (string entry in entries)
        {
            _ = entry.Contains("target=", StringComparison.Ordinal)
                ? _devices.AttachDisk(_guest.Domain.Id, DiskSpec.Parse(entry))
                : _devices.AttachVif(_guest.Domain.Id, VifSpec.Parse(entry));
        }
    }

    private void Save() => _ = new DomainSaver(_guest.Hypervisor, _guest.Store)
    {
        ClaimFolder = _folder,
        Destroyer = domain =>
        {
            Assert.Empty(_devices.RemoveAll(domain.Id));
            DomainDestroyer.Destroy(_guest.Hypervisor, _guest.Store, domain);
        },
    }.Save(_guest.Domain, File, keepsRunning: false);

    private int Restore() => new DomainRestorer(_guest.Hypervisor, _guest.Store, new DeviceManager(_guest.Store, _host)) { ClaimFolder = _folder }
        .Restore(File).DomainId;

    [Fact]
    public void Devices_come_back_under_their_numbers()
    {
        string[] disks = ["vdev=xvda,access=w!,format=raw,target=/a", "vdev=51728,devtype=cdrom,access=r,target=/dev/sdz"];
        Attach([.. disks, "handle=3,mac=00:16:3e:00:00:03,bridge=br0,vifname=web,rate=10Mb/s@20ms,mtu=9000,ip=10.0.0.3",
            "mac=00:16:3e:00:00:01"]);
        Save();
        Assert.DoesNotContain(_guest.Server.Nodes.Keys, path => path.Contains("/vbd/", StringComparison.Ordinal));
        SaveSummary summary = SaveFileVerifier.Verify(File);
        Assert.Equal([(51712, DiskMode.SharedWritable, "/a", false), (51728, DiskMode.ReadOnly, "/dev/sdz", true)],
            summary.Disks.Select(DiskSpec.Parse).Select(disk => (disk.Number, disk.Mode, disk.Target, disk.IsCdrom)));
        _host.Interfaces.Remove("web");
        _host.Done.Clear();

        int id = Restore();
        DeviceDirectory directory = new(_guest.Store);
        Assert.Equal([(51712, "xvda", "/a", "w!"), (51728, "51728", "/dev/sdz", "r")],
            directory.Disks(id).Select(disk => (disk.Vdev, disk.Name, disk.Target!, disk.Mode!)));
        Assert.Equal([(0, "00:16:3e:00:00:01", "xenbr0", null, null), (3, "00:16:3e:00:00:03", "br0", "25000,20000", "10.0.0.3")],
            directory.Vifs(id).Select(vif => (vif.Idx, vif.Mac, vif.Bridge!, vif.Rate, vif.Ip)));
        Assert.Equal("9000", _guest.Server.Nodes[$"/local/domain/{id}/device/vif/3/mtu"].Value);
        Assert.Contains("join br0 web", _host.Done);
        Assert.Equal([File], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_disk_that_somebody_else_uses_by_now_keeps_the_domain_from_coming_back()
    {
        Attach("vdev=xvda,access=w,format=raw,target=/a");
        Save();
        DomainReference other = new DomainCreator(_guest.Hypervisor, _guest.Store, new DeviceManager(_guest.Store, _host)).Create(
            FakeGuest.Config with { Name = "other", Uuid = Guid.NewGuid(), Disks = ["file:/alias-of-a,xvdb,r"] },
            Build.TestKernels.Modern(), []);
        ulong free = _guest.Fake.FreeFrames;
        Assert.Contains($"/a is read by domain {other.Id} ('other') as xvdb",
            Assert.Throws<ToolstackException>(() => Restore()).Message);
        Assert.Equal([0, other.Id], _guest.Fake.Domains.Keys);
        Assert.Equal(free, _guest.Fake.FreeFrames);
        Assert.Equal([File], Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_domain_that_is_there_under_another_name_is_not_restored_beside_itself()
    {
        _ = new DomainSaver(_guest.Hypervisor, _guest.Store) { ClaimFolder = _folder }
            .Save(_guest.Domain, File, keepsRunning: true);
        _guest.Store.Write($"/local/domain/{_guest.Domain.Id}/name", "renamed");
        Assert.Contains("under another name", Assert.Throws<ToolstackException>(() => Restore()).Message);
        Assert.True(_guest.Runs);
    }
}
