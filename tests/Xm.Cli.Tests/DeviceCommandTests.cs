// SPDX-License-Identifier: MIT
using System.Text.Json;
using Xunit;

namespace Xm.Cli.Tests;

public sealed class DeviceCommandTests
{
    private const string Disk = "/local/domain/0/backend/vbd/3/51712";
    private const string Vif = "/local/domain/0/backend/vif/3/0";

    private readonly XmHarness _xm = new();

    public DeviceCommandTests()
    {
        _ = _xm.Add(3, "guest");
        Put(Disk, "/local/domain/3/device/vbd/51712", "2", "1");
        _xm.Store.Put($"{Disk}/dev", "xvda");
        _xm.Store.Put($"{Disk}/params", "/p.img");
        _xm.Store.Put($"{Disk}/mode", "r");
        Put(Vif, "/local/domain/3/device/vif/0", "4", "4");
        _xm.Store.Put($"{Vif}/mac", "00:16:3e:01:02:03");
        _xm.Store.Put($"{Vif}/bridge", "xenbr0");
        _xm.Store.Put("/local/domain/3/device/vif/0/tx-ring-ref", "768");
        _xm.Store.Put("/local/domain/3/device/vif/0/rx-ring-ref", "769");
        _xm.Store.Put("/local/domain/3/device/vif/0/event-channel", "11");
    }

    private void Put(string backend, string frontend, string backendState, string frontendState)
    {
        _xm.Store.Put($"{backend}/frontend", frontend);
        _xm.Store.Put($"{backend}/state", backendState);
        _xm.Store.Put($"{backend}/online", "1");
        _xm.Store.Put($"{frontend}/state", frontendState);
    }

    [Fact]
    public void Lists_have_the_columns_of_Xen_4()
    {
        Assert.Equal(0, _xm.Run("block-list", "guest"));
        Assert.Equal(
            "Vdev  BE  handle state evt-ch ring-ref BE-path\n"
            + $"51712 0   51712  1     -1     -1       {Disk}\n", _xm.Output);
        Assert.Equal(0, _xm.Run("network-list", "3"));
        Assert.Equal(
            "Idx BE Mac Addr.         handle state evt-ch tx-/rx-ring-ref   BE-path\n"
            + $"0   0  00:16:3e:01:02:03 0      4     11       768/769         {Vif}\n", _xm.Output);
        Assert.Equal(1, _xm.Run("block-list", "nobody"));
        Assert.Equal(2, _xm.Run("block-list"));
    }

    [Fact]
    public void Lists_are_printed_as_JSON_and_as_nested_lists()
    {
        Assert.Equal(0, _xm.Run("vbd-list", "--json", "guest"));
        JsonElement disk = JsonDocument.Parse(_xm.Output).RootElement[0];
        Assert.Equal("/p.img", disk.GetProperty("target").GetString());
        Assert.Equal(2, disk.GetProperty("backend_state").GetInt32());
        Assert.Equal(0, _xm.Run("network-list", "-l", "guest"));
        Assert.StartsWith("(vif\n    (handle 0)\n    (mac 00:16:3e:01:02:03)\n", _xm.Output);
        Assert.EndsWith("    (backend-state 4)\n)\n", _xm.Output);
    }

    [Fact]
    public void A_disk_that_the_guest_has_not_taken_is_detached_by_name()
    {
        Assert.Equal(0, _xm.Run("block-detach", "guest", "xvda"));
        Assert.DoesNotContain($"{Disk}/state", _xm.Store.Nodes.Keys);
        Assert.DoesNotContain("/local/domain/3/device/vbd/51712/state", _xm.Store.Nodes.Keys);
        Assert.Equal(1, _xm.Run("block-detach", "guest", "xvda"));
        Assert.Equal("Error: domain 3 has no disk 'xvda'\n  See 'xm block-list 3'.\n", _xm.Errors);
    }

    [Theory]
    [InlineData("phy:/dev/x nodisk w", 1, "'nodisk' names no virtual disk")]
    [InlineData("phy:/dev/x xvdb w 2", 2, "its back end is Domain-0's")]
    [InlineData("phy:/dev/x", 2, "a disk is BACKDEV FRONTDEV [MODE]")]
    [InlineData("vdev=xvdb,format=qcow2,target=/p", 1, "the format qcow2 is not served")]
    [InlineData("/p xvdb q", 1, "the mode 'q' is none of")]
    public void A_disk_that_cannot_be_is_refused_before_anything_is_written(string words, int status, string reason)
    {
        int requests = _xm.Store.Nodes.Count;
        Assert.Equal(status, _xm.Run(["block-attach", "guest", .. words.Split(' ')]));
        Assert.Contains(reason, _xm.Errors);
        Assert.Equal(requests, _xm.Store.Nodes.Count);
    }

    [Fact]
    public void An_interface_that_cannot_be_is_refused_before_anything_is_written()
    {
        Assert.Equal(1, _xm.Run("network-attach", "guest", "mac=nonsense"));
        Assert.Contains("'nonsense' is no address", _xm.Errors);
        Assert.Equal(1, _xm.Run("network-detach", "guest", "00:16:3e:00:00:00"));
        Assert.Contains("has no network interface", _xm.Errors);
    }
}
