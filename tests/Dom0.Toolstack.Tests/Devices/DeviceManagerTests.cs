// SPDX-License-Identifier: MIT
using System;
using System.Linq;
using Dom0.Toolstack.Devices;
using Dom0.Toolstack.Store;
using Dom0.Toolstack.Tests.Fakes;
using Xunit;

namespace Dom0.Toolstack.Tests.Devices;

public sealed class DeviceManagerTests
{
    private const string Backend = "/local/domain/0/backend/vbd/3/51712";
    private const string Frontend = "/local/domain/3/device/vbd/51712";

    private readonly FakeStoreServer _server = new();
    private readonly FakeHostDevices _host;
    private readonly StoreClient _store;
    private readonly DeviceManager _devices;

    public DeviceManagerTests()
    {
        _server.Put("/local/domain/0/name", "Domain-0");
        _server.Put("/local/domain/3/name", "three");
        _server.Put("/local/domain/4/name", "four");
        _host = new FakeHostDevices(_server);
        _store = new StoreClient(_server);
        _devices = new DeviceManager(_store, _host);
    }

    private DeviceAddress Disk(string text, int domain = 3) => _devices.AttachDisk(domain, DiskSpec.Parse(text));

    private DeviceAddress Vif(string text, int domain = 3) => _devices.AttachVif(domain, VifSpec.Parse(text));

    private string? Node(string path) =>
        _server.Nodes.TryGetValue(path, out FakeStoreServer.Node? node) ? node.Value : null;

    private string[] Permissions(string path) => _server.Nodes[path].Permissions;

    private void AssertNothingLeft(int domain)
    {
        string[] left = [.. _server.Nodes.Keys.Where(path => path.Contains($"/vbd/{domain}/", StringComparison.Ordinal)
            || path.Contains($"/vif/{domain}/", StringComparison.Ordinal)
            || path.StartsWith($"/local/domain/{domain}/device/v", StringComparison.Ordinal) && path.Count(c => c == '/') > 5
            || path.StartsWith($"/libxl/{domain}/device/v", StringComparison.Ordinal) && path.Count(c => c == '/') > 4)];
        Assert.Empty(left);
        Assert.Empty(_host.Held);
    }

    [Fact]
    public void A_files_disk_has_both_ends_in_the_store_before_any_driver_wakes()
    {
        DeviceAddress device = Disk("file:/a,xvda,w");
        Assert.Equal(new DeviceAddress(DeviceKind.Vbd, 3, 51712), device);
        Assert.Equal("7:0", Node($"{Backend}/physical-device"));
        Assert.Equal("/a", Node($"{Backend}/params"));
        Assert.Equal("/dev/loop0", Node($"{Backend}/node"));
        Assert.Equal("w", Node($"{Backend}/mode"));
        Assert.Equal("connected", Node($"{Backend}/hotplug-status"));
        Assert.Equal(Frontend, Node($"{Backend}/frontend"));
        Assert.Equal(Backend, Node($"{Frontend}/backend"));
        Assert.Equal("51712", Node($"{Frontend}/virtual-device"));
        Assert.Equal("1", Node($"{Frontend}/state"));
        Assert.Equal(Backend, Node("/libxl/3/device/vbd/51712/backend"));

        // The guest owns its side, reads the other, and reads nothing of others.
        Assert.Equal(["n3", "r0"], Permissions(Frontend));
        Assert.Equal(["n3", "r0"], Permissions($"{Frontend}/state"));
        Assert.Equal(["n0", "r3"], Permissions($"{Backend}/physical-device"));
        Assert.Equal(["n0"], Permissions("/libxl/3/device/vbd/51712/params"));
        Assert.Equal(1, _server.Requests.Count(request => request == StoreOperation.TransactionEnd));
        Assert.Empty(_host.Held);
    }

    [Fact]
    public void A_block_device_is_given_by_its_numbers_in_hexadecimal()
    {
        _ = Disk("phy:/dev/sdz,xvda,r");
        Assert.Equal("41:90", Node($"{Backend}/physical-device"));
        Assert.Equal("r", Node($"{Backend}/mode"));
    }

    [Theory]
    [InlineData("phy:/a,xvda,w", "/a is a file")]
    [InlineData("file:/dev/sdz,xvda,w", "/dev/sdz is a block device")]
    [InlineData("/dev/null,raw,xvda,w", "/dev/null is no block device and no file")]
    [InlineData("file:/missing,xvda,w", "cannot open /missing")]
    public void What_is_not_as_said_is_refused_and_leaves_nothing(string text, string reason)
    {
        Assert.Contains(reason, Assert.Throws<ToolstackException>(() => Disk(text)).Message);
        AssertNothingLeft(3);
    }

    [Theory]
    [InlineData("w", "w", true)]
    [InlineData("w", "r", true)]
    [InlineData("r", "w", true)]
    [InlineData("r", "r", false)]
    [InlineData("w!", "w!", false)]
    [InlineData("w!", "w", true)]
    [InlineData("w", "w!", false)]
    public void A_disk_is_shared_only_as_its_modes_allow(string first, string second, bool isRefused)
    {
        _ = Disk($"file:/a,xvda,{first}");
        if (!isRefused)
        {
            _ = Disk($"file:/alias-of-a,xvdb,{second}", 4);
            return;
        }

        ToolstackException refusal = Assert.Throws<ToolstackException>(
            () => Disk($"file:/alias-of-a,xvdb,{second}", 4));
        Assert.Contains("by domain 3 ('three') as xvda", refusal.Message);
        AssertNothingLeft(4);
        _ = Disk("file:/b,xvdb,w", 4);
    }

    [Fact]
    public void A_block_device_is_known_again_by_its_numbers()
    {
        _host.Files["/dev/other"] = _host.Files["/dev/sdz"];
        _ = Disk("phy:/dev/sdz,xvda,w");
        Assert.Contains("domain 3 ('three') as xvda, the same domain",
            Assert.Throws<ToolstackException>(() => Disk("phy:/dev/other,xvdb,r")).Message);
    }

    [Fact]
    public void A_disk_that_a_killed_command_left_without_its_file_gets_nobody_elses()
    {
        _ = Disk("file:/a,xvda,w");

        // Its loop device is free again: nobody had opened it when the command was killed.
        _host.NextLoop = 0;
        _ = Disk("file:/b,xvda,w", 4);
        AssertNothingLeft(3);
        Assert.Equal("7:0", Node("/local/domain/0/backend/vbd/4/51712/physical-device"));

        // A disk of Debian's tools is theirs to take away.
        _server.Put("/local/domain/0/backend/vbd/3/51712/physical-device", "7:1");
        _ = Disk("file:/a,xvdb,w", 4);
        Assert.Equal("7:1", Node($"{Backend}/physical-device"));
    }

    [Fact]
    public void A_disk_and_its_partition_are_one_and_two_partitions_are_not()
    {
        (BlockNumber whole, BlockNumber one, BlockNumber two) = (new(8, 0), new(8, 1), new(8, 2));
        _host.Files["/dev/sdy"] = new HostFile(whole, null);
        _host.Files["/dev/sdy1"] = new HostFile(one, null);
        _host.Files["/dev/sdy2"] = new HostFile(two, null);
        _host.Shared[whole] = [one, two];
        _host.Shared[one] = [whole];
        _host.Shared[two] = [whole];
        _ = Disk("phy:/dev/sdy1,xvda,w");
        _ = Disk("phy:/dev/sdy2,xvda,w", 4);
        Assert.Contains("/dev/sdy is written by domain 3 ('three') as xvda",
            Assert.Throws<ToolstackException>(() => Disk("phy:/dev/sdy,xvdb,r", 4)).Message);
    }

    [Theory]
    [InlineData("w", true, true)]
    [InlineData("w", false, true)]
    [InlineData("r", true, true)]
    [InlineData("r", false, false)]
    [InlineData("w!", true, false)]
    public void What_Domain_0_uses_itself_is_shared_only_by_readers(string mode, bool isWritten, bool isRefused)
    {
        _host.Use = new HostUse("mounted in Domain-0 at /mnt", "Unmount it first (umount /mnt)", isWritten);
        if (!isRefused)
        {
            _ = Disk($"file:/a,xvda,{mode}");
            return;
        }

        ToolstackException refusal = Assert.Throws<ToolstackException>(() => Disk($"file:/a,xvda,{mode}"));
        Assert.Contains("/a is mounted in Domain-0 at /mnt", refusal.Message);
        AssertNothingLeft(3);
    }

    [Fact]
    public void A_number_that_is_taken_is_refused_and_its_owner_stays()
    {
        _ = Disk("file:/a,xvda,w");
        Assert.Contains("has a disk of number 51712 already",
            Assert.Throws<ToolstackException>(() => Disk("file:/b,d0,w")).Message);
        Assert.Equal("/a", Node($"{Backend}/params"));
    }

    [Fact]
    public void A_back_end_that_refuses_is_quoted_and_nothing_is_left()
    {
        _host.Refusal = "6 opening device 7:0";
        string message = Assert.Throws<ToolstackException>(() => Disk("file:/a,xvda,w")).Message;
        Assert.Contains("the back end has not opened its device", message);
        Assert.Contains("driver says '6 opening device 7:0'", message);
        Assert.True(_host.Now < DeviceManager.LimitMilliseconds);
        AssertNothingLeft(3);
    }

    [Fact]
    public void A_back_end_that_does_not_move_has_a_limit()
    {
        _host.BackendHangs = true;
        Assert.Contains("back end in state 1 (initialising)",
            Assert.Throws<ToolstackException>(() => Disk("file:/a,xvda,w")).Message);
        Assert.InRange(_host.Now, DeviceManager.LimitMilliseconds, DeviceManager.LimitMilliseconds + 100);
        AssertNothingLeft(3);
    }

    [Fact]
    public void Without_its_driver_nothing_is_tried()
    {
        _host.DriversMissing = true;
        Assert.Equal("Load the driver: modprobe xen-blkback",
            Assert.Throws<ToolstackException>(() => Disk("file:/a,xvda,w")).Remedy);
        Assert.Equal("Load the driver: modprobe xen-netback",
            Assert.Throws<ToolstackException>(() => Vif("")).Remedy);
        Assert.DoesNotContain(StoreOperation.Write, _server.Requests);
    }

    [Fact]
    public void A_device_in_use_is_given_back_by_the_guest()
    {
        DeviceAddress device = Disk("file:/a,xvda,w");
        Assert.Null(_devices.WaitForGuest(device));
        _devices.Detach(device, isForced: false);
        AssertNothingLeft(3);
    }

    [Fact]
    public void A_guest_that_keeps_a_device_is_named_and_can_be_forced()
    {
        DeviceAddress device = Disk("file:/a,xvda,w");
        Assert.Null(_devices.WaitForGuest(device));
        _host.GuestHangs = true;
        _server.Put("/local/domain/3/error/device/vbd/51712/error", "16 in use\n\u001b[2J");
        string message = Assert.Throws<ToolstackException>(() => _devices.Detach(device, isForced: false)).Message;
        Assert.Contains("does not give vbd-3-51712 back", message);
        Assert.Contains("the front end's driver says '16 in use[2J'", message);
        Assert.NotNull(Node($"{Backend}/state"));
        _devices.Detach(device, isForced: true);
        AssertNothingLeft(3);
    }

    [Fact]
    public void A_device_that_no_guest_has_taken_goes_at_once()
    {
        _host.GuestHangs = true;
        DeviceAddress device = Disk("file:/a,xvda,w");
        Assert.Contains("front end in state 1", _devices.WaitForGuest(device, 100));
        long before = _host.Now;
        _devices.Detach(device, isForced: false);
        Assert.Equal(before, _host.Now);
        AssertNothingLeft(3);
    }

    [Fact]
    public void An_interface_joins_its_bridge_under_its_name()
    {
        DeviceAddress first = Vif("mac=00:16:3e:01:02:03,bridge=br1,vifname=web,rate=1MB/s,ip=10.0.0.2");
        DeviceAddress second = Vif("");
        Assert.Equal((0, 1), (first.Index, second.Index));
        Assert.Equal(["rename vif3.0 web", "bridge br1", "join br1 web", "bridge xenbr0", "join xenbr0 vif3.1"],
            _host.Done);
        string backend = "/local/domain/0/backend/vif/3/0";
        Assert.Equal("connected", Node($"{backend}/hotplug-status"));
        Assert.Equal("50000,50000", Node($"{backend}/rate"));
        Assert.Equal("00:16:3e:01:02:03", Node("/local/domain/3/device/vif/0/mac"));
        Assert.Equal("0", Node("/local/domain/3/device/vif/0/handle"));
        Assert.Contains("has 00:16:3e:01:02:03 already",
            Assert.Throws<ToolstackException>(() => Vif("mac=00:16:3E:01:02:03", 4)).Message);
        Assert.Contains("already", Assert.Throws<ToolstackException>(() => Vif("vifname=eth0", 4)).Message);
        AssertNothingLeft(4);
    }

    [Fact]
    public void A_script_connects_and_is_told_of_the_end()
    {
        _host.Script = path =>
        {
            _server.Put($"{path}/hotplug-status", "connected");
            return default;
        };
        DeviceAddress device = Vif("script=vif-route,vifname=web");

        // The script gives it the name.
        Assert.Equal(["run /etc/xen/scripts/vif-route online vif3.0"], _host.Done);
        _devices.Detach(device, isForced: false);
        Assert.Equal("run /etc/xen/scripts/vif-route offline web", _host.Done[^1]);
        AssertNothingLeft(3);
    }

    [Fact]
    public void The_script_by_which_xl_made_a_disk_takes_its_loop_device_back()
    {
        DeviceAddress device = Disk("file:/a,xvda,w");
        _server.Put($"{Backend}/script", "/etc/xen/scripts/block");
        Assert.Empty(_devices.RemoveAll(device.Domain));
        Assert.Contains(_host.Done, done => done.StartsWith("run /etc/xen/scripts/block remove", StringComparison.Ordinal));
        AssertNothingLeft(3);
    }

    [Theory]
    [InlineData(1, "ended with status 1 and said: broken")]
    [InlineData(0, "left hotplug-status 'error' and said: broken")]
    public void A_script_that_fails_is_quoted_and_leaves_nothing(int status, string reason)
    {
        _host.Script = path =>
        {
            _server.Put($"{path}/hotplug-status", "error");
            _server.Put($"{path}/hotplug-error", "broken");
            return new ScriptResult(status, "no route");
        };
        Assert.Contains(reason, Assert.Throws<ToolstackException>(() => Vif("script=/x")).Message);
        AssertNothingLeft(3);
    }

    [Fact]
    public void All_of_a_domain_goes_and_of_others_nothing()
    {
        _ = Disk("file:/a,xvda,w");
        _ = Disk("phy:/dev/sdz,xvdb,w");
        _ = Vif("");
        _ = Disk("file:/b,xvda,w", 4);
        Assert.Empty(_devices.RemoveAll(3));
        AssertNothingLeft(3);
        Assert.Equal("/b", Node("/local/domain/0/backend/vbd/4/51712/params"));
    }

    [Fact]
    public void Back_ends_that_hang_share_one_limit_and_are_named()
    {
        _ = Disk("file:/a,xvda,w");
        _ = Disk("phy:/dev/sdz,xvdb,w");
        _host.BackendHangs = true;
        long before = _host.Now;
        Assert.Equal(2, _devices.RemoveAll(3).Count(complaint => complaint.Contains("has not ended within 10 seconds")));
        Assert.InRange(_host.Now - before, 10_000, 10_100);
        AssertNothingLeft(3);
    }

    [Fact]
    public void Whatever_request_to_the_store_fails_an_attach_leaves_all_or_nothing()
    {
        for (int step = 0; ; step++)
        {
            _server.FailAfter = step;
            try
            {
                _ = Disk("file:/a,xvda,w");
            }
            catch (ToolstackException)
            {
                // As meant.
            }

            bool hasFailed = _server.FailAfter < 0;
            _server.FailAfter = -1;
            Assert.Equal(Node($"{Backend}/state") is null, Node($"{Frontend}/state") is null);
            _ = _devices.RemoveAll(3);
            AssertNothingLeft(3);
            if (!hasFailed)
            {
                return;
            }
        }
    }

    [Fact]
    public void Lists_show_what_the_guest_wrote_only_where_it_is_a_number()
    {
        _ = Disk("file:/a,xvda,w");
        _ = Vif("mac=00:16:3e:01:02:03");
        _server.Put($"{Frontend}/ring-ref", "8");
        _server.Put($"{Frontend}/event-channel", "nonsense");
        _server.Put($"{Frontend}/state", "77");
        _server.Put($"{Frontend}/backend", "/elsewhere");
        _server.Put("/local/domain/3/device/vif/0/queue-0/tx-ring-ref", "5");
        DeviceDirectory directory = new(_store);
        DiskSummary disk = Assert.Single(directory.Disks(3));
        Assert.Equal((51712, 8, -1, 0, Backend), (disk.Vdev, disk.RingRef, disk.EventChannel, disk.State, disk.BackendPath));
        Assert.Equal((5, -1), (directory.Vifs(3)[0].TxRingRef, directory.Vifs(3)[0].RxRingRef));
        Assert.Equal(51712, directory.FindDisk(3, "xvda").Index);
        Assert.Equal(51712, directory.FindDisk(3, "51712").Index);
        Assert.Equal(0, directory.FindVif(3, "00:16:3E:01:02:03").Index);
        Assert.Contains("has no disk 'xvdb'",
            Assert.Throws<ToolstackException>(() => directory.FindDisk(3, "xvdb")).Message);
        Assert.Contains("has no network interface '1'",
            Assert.Throws<ToolstackException>(() => directory.FindVif(3, "1")).Message);
    }
}
